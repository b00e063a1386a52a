/* What list answers share: JSON or CSV, and the way to the next page. */
#ifndef API_V1_PAGE_H
#define API_V1_PAGE_H

#include <stdbool.h>

#include "api/http/request.h"

#define PAGE_LIMIT     1000 /* rows, unless asked otherwise */
#define PAGE_MAX_LIMIT 10000

enum page_format { PAGE_JSON, PAGE_CSV };
extern const char *const page_formats[]; /* by enum page_format */

/* The parameter `format` wins over the header Accept. CSV is said in @reply's content type, too. */
enum page_format page_format(const struct request *request, struct reply *reply);

/* Add a header Link with rel="next": this request again, with after=@next. */
void page_link(const struct request *request, struct text next, struct reply *reply);

#endif
