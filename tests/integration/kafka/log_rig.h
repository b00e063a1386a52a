/* Writers and readers on a broker of the test's own, with patience: everything waits for what it wants, or fails. */
#ifndef TESTS_INTEGRATION_KAFKA_LOG_RIG_H
#define TESTS_INTEGRATION_KAFKA_LOG_RIG_H

#include "support/kafka/kafka_broker.h"

#define PATIENCE_MS 30000
#define PARTITIONS  3

/* Checked fixture: a broker with an empty topic of PARTITIONS partitions. */
extern struct kafka_broker broker;
void log_rig_set_up(void);
void log_rig_tear_down(void);

int64_t now_ms(void);
struct writer *open_writer(void);
struct reader *open_all(const char *topic);
struct reader *open_group(const char *group);

/* Queue "<word>-<i>" as key and value, tag i, for i in [from, to), to one partition. */
void produce(struct writer *w, int32_t partition, const char *word, int from, int to);
/* Wait for so many reports; each must say that it is in the log. */
void wait_delivered(struct writer *w, int count);
/* open, produce, wait, destroy. */
void fill(int32_t partition, const char *word, int from, int to);

/* The next event of this kind; messages are passed over where another kind is waited for, anything else fails. */
void wait_event(struct reader *r, enum reader_event_kind kind, struct reader_event *ret);
/* Wait for the assignment and begin at @offset everywhere. */
void start_all(struct reader *r, int64_t offset);
/* Read messages until each of "<word>-<i>", i in [from, to), was seen at least once; returns how many others came. */
int read_words(struct reader *r, const char *word, int from, int to);

#endif
