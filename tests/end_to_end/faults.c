/* Put before the C library by LD_PRELOAD, to lie to one node about its wall clock and to fail its disk.
 *
 * NODE_FAULTS names a file of `struct faults`, which the test changes while the node runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct faults {
    int64_t clock_ms;    /* added to CLOCK_REALTIME */
    int32_t write_errno; /* of every write to a file, if not 0 */
    int32_t sync_errno;  /* of every sync, if not 0 */
    int64_t failed;      /* calls that failed for this */
};

static struct faults none;
static struct faults *faults = &none;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("NODE_FAULTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *map = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map != MAP_FAILED)
        faults = map;
    close(file);
}

static int fails(int descriptor, int32_t error)
{
    struct stat status;
    if (error == 0 || fstat(descriptor, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
        return 0;
    __atomic_add_fetch(&faults->failed, 1, __ATOMIC_RELAXED);
    errno = error;
    return 1;
}

/* The next definition of the function that is being defined here. */
#define NEXT(type, ...)                                   \
    static type (*next)(__VA_ARGS__);                     \
    if (next == NULL)                                     \
    next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, __func__)

int clock_gettime(clockid_t clock, struct timespec *now)
{
    NEXT(int, clockid_t, struct timespec *);
    int result = next(clock, now);
    int64_t shift = faults->clock_ms;
    if (result == 0 && shift != 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t ns = now->tv_nsec + shift % 1000 * 1000000;
        now->tv_sec += shift / 1000 + (ns >= 1000000000) - (ns < 0);
        now->tv_nsec = ns + (ns < 0 ? 1000000000 : ns >= 1000000000 ? -1000000000 : 0);
    }
    return result;
}

#define VECTOR_WRITE(name)                                                                  \
    ssize_t name(int file, const struct iovec *parts, int count, off_t offset)              \
    {                                                                                       \
        NEXT(ssize_t, int, const struct iovec *, int, off_t);                               \
        return fails(file, faults->write_errno) ? -1 : next(file, parts, count, offset);    \
    }
VECTOR_WRITE(pwritev)
VECTOR_WRITE(pwritev64)

#define VECTOR_WRITE_WITH_FLAGS(name)                                                            \
    ssize_t name(int file, const struct iovec *parts, int count, off_t offset, int flags)        \
    {                                                                                            \
        NEXT(ssize_t, int, const struct iovec *, int, off_t, int);                               \
        return fails(file, faults->write_errno) ? -1 : next(file, parts, count, offset, flags);  \
    }
VECTOR_WRITE_WITH_FLAGS(pwritev2)
VECTOR_WRITE_WITH_FLAGS(pwritev64v2)

#define SYNC(name)                                                  \
    int name(int file)                                              \
    {                                                               \
        NEXT(int, int);                                             \
        return fails(file, faults->sync_errno) ? -1 : next(file);   \
    }
SYNC(fsync)
SYNC(fdatasync)
