/* The journal of an incarnation: the append-only truth about attempts (docs/run-directory.md). */
#ifndef CSI_RUNDIR_JOURNAL_H
#define CSI_RUNDIR_JOURNAL_H

#include "rundir/identity.h"

/* X(symbol, word): how an attempt can end */
#define CSI_CLASS_LIST(X)                                                                                              \
    X(CSI_DONE, "done")                                                                                                \
    X(CSI_FAILED, "failed")                                                                                            \
    X(CSI_RETRY, "retry")                                                                                              \
    X(CSI_REJECTED, "rejected")                                                                                        \
    X(CSI_LATER, "later")                                                                                              \
    X(CSI_STOPPED, "stopped")                                                                                          \
    X(CSI_CRASHED, "crashed")                                                                                          \
    X(CSI_SET_ASIDE, "set-aside")

enum csi_class {
#define CSI_CLASS_ENUM_(symbol, word) symbol,
    CSI_CLASS_LIST(CSI_CLASS_ENUM_)
#undef CSI_CLASS_ENUM_
        CSI_CLASS_COUNT
};
const char *csi_class_word(enum csi_class which);

/* Bound: from here on its incarnation takes nothing from a coordinator of an earlier epoch, and holds what it started before and
 * did not end (docs/protocol.md). */
enum csi_record_kind { CSI_RECORD_START, CSI_RECORD_END, CSI_RECORD_RELEASED, CSI_RECORD_CLOSED, CSI_RECORD_BOUND };

/* Why a journal was closed, when all that its incarnation had has ended. */
#define CSI_CLOSED_FINISHED "finished"

/* One line of a journal. Text is borrowed, escaped as it stands in the file. */
struct csi_record {
    enum csi_record_kind kind;
    uint64_t generation, index; /* of an item; for released: generation and piece; for bound, index: the epoch */
    uint64_t attempt;           /* for released: K of the claim; for bound: the session, 0 without the queue */
    uint64_t time_ms;
    uint64_t hash, alone; /* start; alone 1: a suspect, with nothing beside it; bound: without the queue */
    enum csi_class class; /* end */
    uint64_t exit_status, took_ms, cpu_ms, rss_kib; /* end */
    uint64_t output_from, output_to;                /* start: from; end: both */
    const char *text;
    size_t text_length;
    uint64_t at; /* where the line begins in the file */
};

/* ---- writing: one incarnation, one writer */

struct csi_journal {
    int fd;
    char name[8 + CSI_INC_BYTES]; /* "journal/<inc>" */
    uint64_t length;              /* written, committed by a commit line */
    uint64_t synced;              /* of these, on disk */
    uint64_t reserved;            /* the file's size: zeros behind length */
    uint64_t sequence, digest;
    bool broken; /* a write or sync failed: nothing more is written, ever */
    struct csi_buf group;
};

/* Creates journal/<inc>, on disk with its head when this returns. Errors: CFSPLIT_STORAGE. */
CFSPLIT_MUST_USE cfsplit_status csi_journal_open(struct csi_journal *j, const struct cfsplit_run *run,
                                                 const struct csi_inc *inc, struct cfsplit_error *err);

/* Makes sure that `bytes` more can be written without the disk being full: writes and syncs zeros ahead. If the write fails
 * the journal is as good as before; after a failed sync it is broken. */
CFSPLIT_MUST_USE cfsplit_status csi_journal_reserve(struct csi_journal *j, uint64_t bytes, struct cfsplit_error *err);

/* Adds a line to the open group; nothing reaches the file before csi_journal_write. */
void csi_journal_add(struct csi_journal *j, const struct csi_record *record);
/* Writes the open group with its commit line. Not synced. */
CFSPLIT_MUST_USE cfsplit_status csi_journal_write(struct csi_journal *j, struct cfsplit_error *err);
/* Everything written is on disk when this returns. */
CFSPLIT_MUST_USE cfsplit_status csi_journal_sync(struct csi_journal *j, struct cfsplit_error *err);
/* Cuts the zeros off, syncs, closes. Safe on a broken or never opened one. */
CFSPLIT_MUST_USE cfsplit_status csi_journal_close(struct csi_journal *j, struct cfsplit_error *err);

/* ---- reading: anybody, as often as they like */

struct csi_journal_reader {
    uint64_t length;           /* of the whole groups read so far */
    uint64_t sequence, digest; /* of the last of them */
    uint64_t tail;             /* bytes behind them that are no whole group */
    bool closed;               /* a closed line was read */
};

/* Hands each record of the whole groups behind reader->length to `take`, up to `limit` bytes of the file (UINT64_MAX: to
 * the end), and moves the reader on. With `sync` the file is synced before it is read: what is read is on disk. A missing
 * file is empty. Errors: CFSPLIT_DAMAGED with file and offset if fewer than `vouched` bytes are whole groups; what `take`
 * returns. */
CFSPLIT_MUST_USE cfsplit_status csi_journal_read(const struct cfsplit_run *run, const struct csi_inc *inc,
                                                 struct csi_journal_reader *reader, uint64_t vouched, uint64_t limit,
                                                 bool sync,
                                                 cfsplit_status (*take)(void *context, const struct csi_record *record,
                                                                        struct cfsplit_error *err),
                                                 void *context, struct cfsplit_error *err);

/* Reads the one record that begins at byte `at` of a journal; its text is put into `line`. */
CFSPLIT_MUST_USE cfsplit_status csi_journal_record_at(const struct cfsplit_run *run, const char *inc, uint64_t at,
                                                      struct csi_buf *line, struct csi_record *out,
                                                      struct cfsplit_error *err);

/* One line (without newline) as a record; false if it is none. */
bool csi_record_parse(const char *line, size_t length, struct csi_record *out);

#endif
