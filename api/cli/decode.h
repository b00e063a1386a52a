/* pluvio decode: bytes of the wire to JSON lines. */
#ifndef API_CLI_DECODE_H
#define API_CLI_DECODE_H

#include "command.h"
#include "pluvio/wire/otlp.h"

struct decode {
    struct command *command;
    struct otlp_decoder decoder;
    struct buf line;
    uint64_t count, refused; /* records */
};

/* Print the records of @value; @where names it in a refusal, which is printed and counted. */
void decode_value(struct decode *d, struct text value, const char *where);
/* Read the topic that the command names; an enum cli_status. */
int decode_kafka(struct decode *d);

#endif
