#include "test_kafka_log.h"

static Suite *make_suite(enum broker_kind kind)
{
    Suite *s = suite_create(kind == BROKER_REAL ? "Apache Kafka" : "embedded broker");
    suite_add_tcase(s, log_tests(kind));
    suite_add_tcase(s, outage_tests(kind));
    if (kind == BROKER_EMBEDDED)
        suite_add_tcase(s, refusal_tests());
    return s;
}

int main(int argc, char **argv)
{
    return kafka_broker_main(argc, argv, make_suite);
}
