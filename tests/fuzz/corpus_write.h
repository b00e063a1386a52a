/* Where the corpus goes. */
#ifndef TESTS_FUZZ_CORPUS_WRITE_H
#define TESTS_FUZZ_CORPUS_WRITE_H

#include "pluvio/base/buf.h"

/* Write @content as FOLDER/@target/@name, the folder made. Ends the program if it cannot. */
void corpus_put(const char *target, const char *name, struct text content);

void corpus_texts(void); /* yaml, domain_xml, request, envelope */

#endif
