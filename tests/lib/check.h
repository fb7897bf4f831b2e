/* Assertions for CUnit that print both values, and a main that fails on failures and on zero tests. */
#ifndef TESTS_LIB_CHECK_H
#define TESTS_LIB_CHECK_H

#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHECK(condition) CU_ASSERT_TRUE(condition)

#define CHECK_EQUAL(got, wanted)                                                                                       \
    do {                                                                                                               \
        long long got_ = (long long)(got), wanted_ = (long long)(wanted);                                              \
        if (got_ != wanted_)                                                                                           \
            printf("\n      %s is %lld, not %lld\n", #got, got_, wanted_);                                             \
        CU_assertImplementation(got_ == wanted_, __LINE__, #got " == " #wanted, __FILE__, "", CU_FALSE);               \
    } while (0)

#define CHECK_TEXT(got, wanted)                                                                                        \
    do {                                                                                                               \
        const char *got_ = (got), *wanted_ = (wanted);                                                                 \
        int same_ = got_ && wanted_ && strcmp(got_, wanted_) == 0;                                                     \
        if (!same_)                                                                                                    \
            printf("\n      %s is \"%s\", not \"%s\"\n", #got, got_ ? got_ : "(null)", wanted_ ? wanted_ : "(null)");  \
        CU_assertImplementation(same_, __LINE__, #got " == " #wanted, __FILE__, "", CU_FALSE);                         \
    } while (0)

/* A status that must be OK; prints the error's sentence otherwise. */
#define CHECK_OK(call)                                                                                                 \
    do {                                                                                                               \
        int status_ = (int)(call);                                                                                     \
        if (status_ != 0)                                                                                              \
            printf("\n      %s failed: %s\n", #call, err.message);                                                     \
        CU_assertImplementation(status_ == 0, __LINE__, #call, __FILE__, "", CU_FALSE);                                \
    } while (0)

struct check_case {
    const char *sentence;
    void (*run)(void);
};

/* Runs one suite; the exit code of the test program. */
static inline int check_main(const char *suite_sentence, const struct check_case *cases, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_sentence, NULL, NULL);
    for (size_t i = 0; suite && i < count; i++)
        if (!CU_add_test(suite, cases[i].sentence, cases[i].run))
            return 2;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned run = CU_get_number_of_tests_run(), failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return run == 0 || failed > 0;
}

#endif
