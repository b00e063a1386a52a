/* The description of this API, openapi.yaml, as a part of the program. */
#ifndef API_V1_OPENAPI_H
#define API_V1_OPENAPI_H

#include "pluvio/base/buf.h"

extern const struct text openapi;

#endif
