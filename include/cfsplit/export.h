/* Marks what the shared library exports, and what must not be ignored. */
#ifndef CFSPLIT_EXPORT_H
#define CFSPLIT_EXPORT_H

#if defined(__GNUC__)
#define CFSPLIT_API      __attribute__((visibility("default")))
#define CFSPLIT_MUST_USE __attribute__((warn_unused_result))
#else
#define CFSPLIT_API
#define CFSPLIT_MUST_USE
#endif

#endif
