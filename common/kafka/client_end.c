/* Ending a consumer without waiting for it for ever. */
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kafka_client.h"
#include "pluvio/base/log.h"

#define PATIENCE_MS 5000

/* Shared by the one who waits and the thread that ends the handle; whoever goes last frees it. */
struct ending {
    rd_kafka_t *handle;
    int done; /* eventfd */
    atomic_bool one_has_gone;
};

static void end_handle(rd_kafka_t *handle)
{
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void go(struct ending *e)
{
    if (!atomic_exchange(&e->one_has_gone, true))
        return;
    close(e->done);
    free(e);
}

static void *run(void *argument)
{
    struct ending *e = argument;
    end_handle(e->handle);
    eventfd_write(e->done, 1);
    go(e);
    return NULL;
}

static struct ending *begin(rd_kafka_t *handle)
{
    struct ending *e = calloc(1, sizeof *e);
    pthread_t thread;
    if (!e)
        return NULL;
    e->handle = handle;
    e->done = eventfd(0, EFD_CLOEXEC);
    if (e->done >= 0 && pthread_create(&thread, NULL, run, e) == 0) {
        pthread_detach(thread);
        return e;
    }
    e->one_has_gone = true;
    go(e);
    return NULL;
}

void client_end_reader(struct rd_kafka_s *handle)
{
    struct ending *e = begin(handle);
    if (!e) {
        end_handle(handle);
        return;
    }
    struct pollfd wait = {.fd = e->done, .events = POLLIN};
    if (poll(&wait, 1, PATIENCE_MS) != 1)
        log_warning("a Kafka consumer does not end (its topic went away?); it is left behind with its threads");
    go(e);
}
