/* Who is let in: libzmq asks for each handshake (ZAP, rfc.zeromq.org/spec/27), and the answer is yes for one client key only. */
#ifndef CSI_NET_ZAP_H
#define CSI_NET_ZAP_H

#include "net/keys.h"

extern const char csi_zap_domain[];

/* Binds the handler's socket. To be done before anything else of that context is bound. Errors: CFSPLIT_UNREACHABLE. */
CFSPLIT_MUST_USE cfsplit_status csi_zap_open(void *context, void **out, struct cfsplit_error *err);

/* Answers what was asked, a bounded number of questions. Errors: CFSPLIT_UNREACHABLE: nobody can be let in any more. */
CFSPLIT_MUST_USE cfsplit_status csi_zap_serve(void *zap, const unsigned char client_key[CSI_NET_RAW_KEY_BYTES],
                                              struct cfsplit_error *err);

#endif
