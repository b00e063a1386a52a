/* Where the archive of a resource stands: names that are safe for a file system, whatever a producer sends. Pure. */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_NAME_H
#define COLLECTOR_ARCHIVE_ARCHIVE_NAME_H

#include "pluvio/base/buf.h"

/* "<shard>/<resource>.rrd", or "<shard>/<resource>@<meter>.rrd" where @meter is not empty: the path below the archive's
 * folder, appended to @out. 256 shards by hash, so that no folder grows beyond what tools like. Letters, digits, '-'
 * and inner dots stand as they are, all else as %XX (a ':' too: rrdgraph's DEF splits there); a name beyond what a file
 * system takes is cut and ends in '~' and its hash. */
void archive_name(struct text resource, struct text meter, struct buf *out);

#endif
