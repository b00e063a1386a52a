/* What the host's own meters are made of: processors, CPU time and memory.
 *
 * From /proc (given as a folder), which libvirt reads for virNodeGetCPUStats and its like, too: asking it would be
 * three calls more in each cycle. See proc(5). Pure but for the two files.
 */
#ifndef POLLERS_HOST_FIGURES_H
#define POLLERS_HOST_FIGURES_H

#include "inspector.h"

/* ns since boot, KiB, processors that are online. What cannot be read is left as it is in @ret. */
void host_figures_read(const char *proc, struct reading ret[HOST_FIELDS]);

#endif
