#ifndef TESTS_INTEGRATION_KAFKA_TEST_KAFKA_LOG_H
#define TESTS_INTEGRATION_KAFKA_TEST_KAFKA_LOG_H

#include "support/kafka/kafka_broker.h"

TCase *log_tests(enum broker_kind kind);    /* on a running broker */
TCase *outage_tests(enum broker_kind kind); /* on one that goes away */
TCase *refusal_tests(void);                 /* on one of librdkafka's that refuses */

#endif
