/* Names that were found in folders, and the order of their bytes. */
#ifndef CSI_LIST_NAMES_H
#define CSI_LIST_NAMES_H

#include "list/list.h"

struct csi_names {
    struct csi_buf text; /* each with its NUL, and some bytes behind the last */
    size_t *at;          /* where each begins */
    size_t count, room;
};

/* Adds `folder` and `name` as one. False: no memory. Release with csi_names_release. */
bool csi_names_add(struct csi_names *names, const char *folder, size_t folder_length, const char *name, size_t length);
void csi_names_release(struct csi_names *names);

/* Appends all names of `sets` sets, each behind `prefix`, in the order of their bytes (strcmp, never strcoll). */
CFSPLIT_MUST_USE cfsplit_status csi_list_add_names(struct cfsplit_list *list, const char *prefix,
                                                   struct csi_names *sets, size_t set_count, struct cfsplit_error *err);

/* A name with its next 8 bytes as a number; for csi_names_sort and its test. */
struct csi_name {
    uint64_t key;
    const char *text; /* 8 bytes behind its NUL may be read */
};
void csi_names_sort(struct csi_name *names, size_t count);

#endif
