/* What the files of incarnation share: devices with their slots, and the closing and opening of streams. Nobody else's.
 */
#ifndef POLLERS_INCARNATION_PRIVATE_H
#define POLLERS_INCARNATION_PRIVATE_H

#include "incarnation.h"

/* ---- incarnation_device.c ---- */

struct device *device_find(const struct incarnation *vm, enum resource_kind kind, const char *name);
/* NULL: over the limit (counted) or out of memory (*ret_no_memory). */
struct device *device_make(struct incarnations *set, struct incarnation *vm, enum resource_kind kind, const char *name,
                           bool *ret_no_memory);
void device_free(struct device *d);
void incarnation_free(struct incarnation *vm);
/* The slot of a meter, made if new; NULL: out of memory. */
struct slot *device_slot(struct device *d, enum meter_id meter);
void devices_sweep(struct incarnation *vm); /* free those that are gone, forget what was read */
/* The interface that a tap belongs to; NULL: not known. */
struct device *device_of_net(const struct incarnation *vm, const struct domain_stats *d, const struct net_stats *net);

/* Bring the devices up to what statistics and XML show: new ones, plugs that are others now (they close under the old
 * owner), those that were taken out. False: out of memory. */
void disk_event_take(struct incarnation *vm, const struct lifecycle_event *event);
bool devices_list(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d);
void devices_settle(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d,
                    struct sighting *out);

/* ---- incarnation_values.c ---- */

/* By the patterns for devices; the entity itself always is. */
bool device_is_chosen(const struct incarnations *set, const struct device *d);
/* Put what was read into the slots (has_raw); gauges go to @out. False: out of memory. */
bool values_take(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d, struct sighting *out);
bool values_take_host(struct incarnations *set, struct incarnation *vm, const struct snapshot *s, struct sighting *out);

/* ---- incarnation_stream.c ---- */

bool is_counter(const struct slot *s);
/* All that it has counted was done since Pluvio looks. */
bool begins_at_zero(const struct device *d, const struct slot *s);
/* For so long a size may be vouched for without a reading. */
int64_t slot_gap_ns(const struct incarnations *set, const struct slot *s);
/* Room for @count more in both lists, so that what follows cannot fail. */
bool told_reserve(struct sighting *out, size_t count);
void tell(struct told_list *list, const struct incarnation *vm, const struct device *d, struct slot *s,
          int64_t time_boot_ns, bool ended);
/* End the stream of @s, if one is open, with the newest reading, at @time_boot_ns. */
void slot_close(struct told_list *list, const struct incarnation *vm, const struct device *d, struct slot *s,
                int64_t time_boot_ns);
/* Every counter ends with what was read last. */
void counters_end(struct incarnation *vm, struct told_list *list);
/* A plug that is another now: its streams end, its counters begin at 0. */
void plug_end(struct incarnation *vm, struct device *d, struct told_list *list);
/* Tell what was read (raw); a stream begins with it if none is open, and it is the last word if @ended. */
void counter_read(struct incarnations *set, struct incarnation *vm, struct device *d, struct slot *s,
                  struct told_list *list, int64_t now_boot_ns, bool ended);
/* A counter that fell begins anew at 0. What goes on from where it fell to: a sum over processors in a process that has
 * run all the time (@verified), and what the guest's kernel counts. */
void counters_fall(struct incarnations *set, struct incarnation *vm, struct told_list *list, bool verified);
/* Close everything at @at_boot_ns: with what was just read where @now_boot_ns is not 0, else with what was read last.
 * @verified: the process has run all the time. */
void streams_split(struct incarnations *set, struct incarnation *vm, struct told_list *list, int64_t now_boot_ns,
                   int64_t at_boot_ns, bool verified);
void streams_read(struct incarnations *set, struct incarnation *vm, struct told_list *list, int64_t now_boot_ns,
                  bool verified);

#endif
