/* Linked into a poller whose memory ends where it applies what it reads again. */
#include <errno.h>

#include "pollers/poller_options.h"

int __real_poller_choose(const struct poller_options *o, struct poller_choice *ret);
int __wrap_poller_choose(const struct poller_options *o, struct poller_choice *ret);

int __wrap_poller_choose(const struct poller_options *o, struct poller_choice *ret)
{
    static unsigned calls;
    return calls++ ? -ENOMEM : __real_poller_choose(o, ret);
}
