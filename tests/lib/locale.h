/* The locale that an application around the library may have chosen: nothing may come out otherwise for it. Estonian sorts
 * z between s and t, which shows whoever compares by locale. */
#ifndef TESTS_LIB_LOCALE_H
#define TESTS_LIB_LOCALE_H

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

/* Chooses the locale that the test is run for, by CFSPLIT_TEST_LOCALE (LOCPATH: where it is), or ends the test. */
static inline void test_locale_choose(void)
{
    const char *name = getenv("CFSPLIT_TEST_LOCALE");
    if (name && !setlocale(LC_ALL, name)) {
        fprintf(stderr, "there is no locale %s\n", name);
        exit(2);
    }
}

#endif
