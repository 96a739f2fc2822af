/* An emulated V4L2 camera for tests on machines without one.
 *
 * LD_PRELOAD this library and /dev/video0 appears to the process: listed in /dev, named in
 * /sys/class/video4linux, opened, negotiated, streamed. Frames come from files, at the negotiated rate.
 *
 *   V4L2_SHIM_MJPEG    a file of concatenated JPEGs   (ffmpeg -i in.mp4 -c:v mjpeg -f mjpeg out.mjpeg)
 *   V4L2_SHIM_YUYV     a file of raw YUYV frames       (ffmpeg ... -pix_fmt yuyv422 -f rawvideo out.yuyv)
 *   V4L2_SHIM_SIZE     WxH of both                     (default 1280x720)
 *   V4L2_SHIM_FPS      advertised and delivered rate   (default 30)
 *   V4L2_SHIM_CONTROL  a file holding one word, read before every frame, to misbehave at run time:
 *                      ok | unplug | stall | corrupt | half | busy | denied
 *
 * The device is a memfd, so mmap of its buffers is the kernel's own. Only what capture programs use is
 * emulated: MMAP buffers, one size, MJPG and YUYV, brightness and exposure controls.
 * Build: cc -O2 -shared -fPIC -o libv4l2shim.so v4l2shim.c -ldl -lpthread
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/dev/video0"
#define SYSFS_NAME "/sys/class/video4linux/video0/name"
#define MAX_FD 4096
#define MAX_BUFFERS 16

struct camera {
    int streaming, count;
    unsigned pixelformat, size;             /* negotiated format, bytes of one buffer */
    int queue[MAX_BUFFERS], queued;         /* indices waiting for a frame, oldest first */
    unsigned sequence;
    struct timespec due;                    /* when the next frame is ready */
};

static struct camera *cameras[MAX_FD];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned width = 1280, height = 720, fps = 30;
static int brightness = 128, exposure = 200;
static unsigned char *mjpeg, *yuyv;
static size_t mjpeg_len, yuyv_len, *jpeg_at;
static unsigned jpegs;

static unsigned char *load(const char *variable, size_t *len)
{
    const char *path = getenv(variable);
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0) : -1;
    if (fd < 0) return NULL;
    struct stat st;
    unsigned char *data = NULL;
    if (!fstat(fd, &st) && st.st_size > 0) {
        data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        *len = st.st_size;
    }
    syscall(SYS_close, fd);
    return data == MAP_FAILED ? NULL : data;
}

__attribute__((constructor)) static void start(void)
{
    const char *s = getenv("V4L2_SHIM_SIZE"), *f = getenv("V4L2_SHIM_FPS");
    if (s) sscanf(s, "%ux%u", &width, &height);
    if (f && atoi(f) > 0) fps = atoi(f);
    mjpeg = load("V4L2_SHIM_MJPEG", &mjpeg_len);
    yuyv = load("V4L2_SHIM_YUYV", &yuyv_len);
    if (!mjpeg) return;
    jpeg_at = malloc(sizeof *jpeg_at * (mjpeg_len / 4 + 2));
    for (size_t i = 0; i + 2 < mjpeg_len; i++)
        if (mjpeg[i] == 0xff && mjpeg[i + 1] == 0xd8 && mjpeg[i + 2] == 0xff) jpeg_at[jpegs++] = i;
    jpeg_at[jpegs] = mjpeg_len;
}

enum mood { OK, UNPLUG, STALL, CORRUPT, HALF, BUSY, DENIED };
static enum mood mood(void)
{
    const char *path = getenv("V4L2_SHIM_CONTROL");
    char word[16] = "";
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0) : -1;
    if (fd < 0) return OK;
    if (read(fd, word, sizeof word - 1) < 0) word[0] = 0;
    syscall(SYS_close, fd);
    return !strncmp(word, "unplug", 6) ? UNPLUG : !strncmp(word, "stall", 5) ? STALL
         : !strncmp(word, "corrupt", 7) ? CORRUPT : !strncmp(word, "half", 4) ? HALF
         : !strncmp(word, "busy", 4) ? BUSY : !strncmp(word, "denied", 6) ? DENIED : OK;
}

static int present(void) { return (mjpeg || yuyv) && mood() != UNPLUG; }
static struct camera *camera(int fd) { return fd >= 0 && fd < MAX_FD ? cameras[fd] : NULL; }
static int fail(int e) { errno = e; return -1; }

static int open_device(int flags)
{
    if (!present()) return fail(ENOENT);
    if (mood() == DENIED) return fail(EACCES);
    int fd = memfd_create("v4l2shim", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    if (fd < 0 || fd >= MAX_FD) return fail(EMFILE);
    struct camera *c = calloc(1, sizeof *c);
    c->pixelformat = mjpeg ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
    c->size = (width * height * 2 + 4095) / 4096 * 4096;     /* buffers are mapped: whole pages */
    cameras[fd] = c;
    return fd;
}

static unsigned format_at(unsigned index)
{
    unsigned have[2], n = 0;
    if (mjpeg) have[n++] = V4L2_PIX_FMT_MJPEG;
    if (yuyv) have[n++] = V4L2_PIX_FMT_YUYV;
    return index < n ? have[index] : 0;
}

static void fill_format(struct camera *c, struct v4l2_pix_format *p)
{
    unsigned wanted = p->pixelformat;
    if ((wanted == V4L2_PIX_FMT_MJPEG && mjpeg) || (wanted == V4L2_PIX_FMT_YUYV && yuyv)) c->pixelformat = wanted;
    memset(p, 0, sizeof *p);
    p->width = width; p->height = height; p->field = V4L2_FIELD_NONE;
    p->pixelformat = c->pixelformat;
    p->bytesperline = c->pixelformat == V4L2_PIX_FMT_YUYV ? width * 2 : 0;
    p->sizeimage = c->size;
    p->colorspace = c->pixelformat == V4L2_PIX_FMT_MJPEG ? V4L2_COLORSPACE_JPEG : V4L2_COLORSPACE_SRGB;
}

static long until_ms(struct camera *c)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (c->due.tv_sec - now.tv_sec) * 1000 + (c->due.tv_nsec - now.tv_nsec) / 1000000;
}

static void write_frame(struct camera *c, int fd, struct v4l2_buffer *b, int index, enum mood m)
{
    size_t at = 0, len = 0;
    const unsigned char *from = NULL;
    if (c->pixelformat == V4L2_PIX_FMT_MJPEG && jpegs) {
        unsigned k = c->sequence % jpegs;
        at = jpeg_at[k]; len = jpeg_at[k + 1] - at; from = mjpeg + at;
    } else if (yuyv) {
        size_t one = (size_t)width * height * 2;
        from = yuyv + (c->sequence % (yuyv_len / one)) * one; len = one;
    }
    if (len > c->size) len = c->size;
    if (m == CORRUPT) len = len / 3;
    if (pwrite(fd, from, len, (off_t)index * c->size) < 0) len = 0;
    memset(b, 0, sizeof *b);
    b->type = V4L2_BUF_TYPE_VIDEO_CAPTURE; b->memory = V4L2_MEMORY_MMAP;
    b->index = index; b->bytesused = len; b->length = c->size; b->m.offset = index * c->size;
    b->field = V4L2_FIELD_NONE; b->sequence = c->sequence++;
    b->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_DONE | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    b->timestamp.tv_sec = now.tv_sec; b->timestamp.tv_usec = now.tv_nsec / 1000;
    long step = 1000000000L / fps * (m == HALF ? 2 : 1);
    c->due = now;                           /* late readers do not get a burst of old frames */
    c->due.tv_nsec += step;
    while (c->due.tv_nsec >= 1000000000L) { c->due.tv_nsec -= 1000000000L; c->due.tv_sec++; }
}

static int dequeue(struct camera *c, int fd, struct v4l2_buffer *b)
{
    int nonblocking = (int)syscall(SYS_fcntl, fd, F_GETFL) & O_NONBLOCK;
    for (;;) {
        enum mood m = mood();
        if (m == UNPLUG) return fail(ENODEV);
        if (!c->streaming) return fail(EINVAL);
        if (m != STALL && c->queued && until_ms(c) <= 0) {
            pthread_mutex_lock(&lock);
            int index = c->queue[0];
            memmove(c->queue, c->queue + 1, sizeof *c->queue * --c->queued);
            pthread_mutex_unlock(&lock);
            write_frame(c, fd, b, index, m);
            return 0;
        }
        if (nonblocking) return fail(EAGAIN);
        if (usleep(1000) < 0) return -1;            /* a signal: EINTR, as the kernel does */
    }
}

static int control(struct v4l2_queryctrl *q)
{
    unsigned next = q->id & V4L2_CTRL_FLAG_NEXT_CTRL, id = q->id & ~(V4L2_CTRL_FLAG_NEXT_CTRL | V4L2_CTRL_FLAG_NEXT_COMPOUND);
    if (next) id = id < V4L2_CID_BRIGHTNESS ? V4L2_CID_BRIGHTNESS : id < V4L2_CID_EXPOSURE_ABSOLUTE ? V4L2_CID_EXPOSURE_ABSOLUTE : 0;
    if (id != V4L2_CID_BRIGHTNESS && id != V4L2_CID_EXPOSURE_ABSOLUTE) return fail(EINVAL);
    memset(q, 0, sizeof *q);
    q->id = id; q->type = V4L2_CTRL_TYPE_INTEGER; q->step = 1;
    q->minimum = 1; q->maximum = id == V4L2_CID_BRIGHTNESS ? 255 : 2047;
    q->default_value = id == V4L2_CID_BRIGHTNESS ? 128 : 200;
    snprintf((char *)q->name, sizeof q->name, id == V4L2_CID_BRIGHTNESS ? "Brightness" : "Exposure Time, Absolute");
    return 0;
}

static int *value_of(unsigned id)
{
    return id == V4L2_CID_BRIGHTNESS ? &brightness : id == V4L2_CID_EXPOSURE_ABSOLUTE ? &exposure : NULL;
}

static int device_ioctl(int fd, unsigned long request, void *arg)
{
    struct camera *c = camera(fd);
    if (mood() == UNPLUG) return fail(ENODEV);
    switch ((unsigned)request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *p = arg;
        memset(p, 0, sizeof *p);
        strcpy((char *)p->driver, "v4l2shim"); strcpy((char *)p->card, "Emulated camera"); strcpy((char *)p->bus_info, "platform:v4l2shim");
        p->version = 0x060000;
        p->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_EXT_PIX_FORMAT;
        p->capabilities = p->device_caps | V4L2_CAP_DEVICE_CAPS;
        return 0;
    }
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *p = arg;
        unsigned index = p->index, f = p->type == V4L2_BUF_TYPE_VIDEO_CAPTURE ? format_at(index) : 0, type = p->type;
        if (!f) return fail(EINVAL);
        memset(p, 0, sizeof *p);
        p->index = index; p->type = type; p->pixelformat = f; p->flags = f == V4L2_PIX_FMT_MJPEG ? V4L2_FMT_FLAG_COMPRESSED : 0;
        strcpy((char *)p->description, f == V4L2_PIX_FMT_MJPEG ? "Motion-JPEG" : "YUYV 4:2:2");
        return 0;
    }
    case VIDIOC_ENUM_FRAMESIZES: {
        struct v4l2_frmsizeenum *p = arg;
        if (p->index) return fail(EINVAL);
        p->type = V4L2_FRMSIZE_TYPE_DISCRETE; p->discrete.width = width; p->discrete.height = height;
        return 0;
    }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
        struct v4l2_frmivalenum *p = arg;
        if (p->index || p->width != width || p->height != height) return fail(EINVAL);
        p->type = V4L2_FRMIVAL_TYPE_DISCRETE; p->discrete.numerator = 1; p->discrete.denominator = fps;
        return 0;
    }
    case VIDIOC_G_FMT: case VIDIOC_S_FMT: case VIDIOC_TRY_FMT: {
        struct v4l2_format *p = arg;
        if (p->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
        if (request == VIDIOC_G_FMT) p->fmt.pix.pixelformat = 0;
        fill_format(c, &p->fmt.pix);
        return 0;
    }
    case VIDIOC_G_PARM: case VIDIOC_S_PARM: {
        struct v4l2_streamparm *p = arg;
        if (p->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
        memset(&p->parm, 0, sizeof p->parm);
        p->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        p->parm.capture.timeperframe.numerator = 1; p->parm.capture.timeperframe.denominator = fps;
        p->parm.capture.readbuffers = 4;
        return 0;
    }
    case VIDIOC_ENUMINPUT: {
        struct v4l2_input *p = arg;
        if (p->index) return fail(EINVAL);
        memset(p, 0, sizeof *p);
        strcpy((char *)p->name, "Camera 1"); p->type = V4L2_INPUT_TYPE_CAMERA;
        return 0;
    }
    case VIDIOC_G_INPUT: *(int *)arg = 0; return 0;
    case VIDIOC_S_INPUT: return *(int *)arg ? fail(EINVAL) : 0;
    case VIDIOC_QUERYCTRL: return control(arg);
    case VIDIOC_G_CTRL: case VIDIOC_S_CTRL: {
        struct v4l2_control *p = arg;
        int *v = value_of(p->id);
        if (!v) return fail(EINVAL);
        if (request == VIDIOC_S_CTRL) *v = p->value; else p->value = *v;
        return 0;
    }
    case VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *p = arg;
        if (p->memory != V4L2_MEMORY_MMAP) return fail(EINVAL);
        if (mood() == BUSY) return fail(EBUSY);     /* as when another program streams */
        if (c->streaming && p->count) return fail(EBUSY);
        if (p->count > MAX_BUFFERS) p->count = MAX_BUFFERS;
        c->count = p->count; c->queued = 0;
        p->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
        return ftruncate(fd, (off_t)c->count * c->size);
    }
    case VIDIOC_QUERYBUF: case VIDIOC_QBUF: {
        struct v4l2_buffer *p = arg;
        if ((int)p->index >= c->count) return fail(EINVAL);
        p->length = c->size; p->m.offset = p->index * c->size; p->flags = V4L2_BUF_FLAG_MAPPED; p->memory = V4L2_MEMORY_MMAP;
        if (request == VIDIOC_QBUF) {
            pthread_mutex_lock(&lock);
            if (c->queued < MAX_BUFFERS) c->queue[c->queued++] = p->index;
            pthread_mutex_unlock(&lock);
            p->flags |= V4L2_BUF_FLAG_QUEUED;
        }
        return 0;
    }
    case VIDIOC_DQBUF: return dequeue(c, fd, arg);
    case VIDIOC_STREAMON: c->streaming = 1; clock_gettime(CLOCK_MONOTONIC, &c->due); return 0;
    case VIDIOC_STREAMOFF: c->streaming = 0; c->queued = 0; return 0;
    default: return fail(ENOTTY);
    }
}

/* ---- the calls that are intercepted ---- */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int sysfs_name(void)
{
    int fd = memfd_create("name", 0);
    if (fd >= 0 && write(fd, "Emulated camera\n", 16) == 16) lseek(fd, 0, SEEK_SET);
    return fd;
}

static int is_path(const char *path, const char *want) { return path && !strcmp(path, want); }

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
    if (is_path(path, DEVICE) && (mjpeg || yuyv)) return open_device(flags);
    if (is_path(path, SYSFS_NAME) && present()) return sysfs_name();
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}
#define MODE(flags) ({ va_list a; va_start(a, flags); mode_t m = (flags) & (O_CREAT | O_TMPFILE) ? va_arg(a, mode_t) : 0; va_end(a); m; })
int open(const char *p, int flags, ...) { return open_any(AT_FDCWD, p, flags, MODE(flags)); }
int open64(const char *p, int flags, ...) { return open_any(AT_FDCWD, p, flags | O_LARGEFILE, MODE(flags)); }
int openat(int d, const char *p, int flags, ...) { return open_any(d, p, flags, MODE(flags)); }
int openat64(int d, const char *p, int flags, ...) { return open_any(d, p, flags | O_LARGEFILE, MODE(flags)); }

int close(int fd)
{
    struct camera *c = camera(fd);
    if (c) { cameras[fd] = NULL; free(c); }
    return (int)syscall(SYS_close, fd);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list a;
    va_start(a, request);
    void *arg = va_arg(a, void *);
    va_end(a);
    return camera(fd) ? device_ioctl(fd, request, arg) : (int)syscall(SYS_ioctl, fd, request, arg);
}

static void dress(struct stat *st) { st->st_mode = S_IFCHR | 0660; st->st_rdev = makedev(81, 0); }
int stat(const char *p, struct stat *st)
{
    if (is_path(p, DEVICE) && present()) { memset(st, 0, sizeof *st); dress(st); return 0; }
    return REAL(stat)(p, st);
}
int lstat(const char *p, struct stat *st)
{
    if (is_path(p, DEVICE) && present()) { memset(st, 0, sizeof *st); dress(st); return 0; }
    return REAL(lstat)(p, st);
}
int fstat(int fd, struct stat *st)
{
    int r = REAL(fstat)(fd, st);
    if (!r && camera(fd)) dress(st);
    return r;
}

static int ready(struct pollfd *fds, nfds_t n)
{
    int count = 0;
    enum mood m = mood();
    for (nfds_t i = 0; i < n; i++) {
        struct camera *c = camera(fds[i].fd);
        if (!c) continue;
        fds[i].revents = m == UNPLUG ? POLLERR | POLLHUP
                       : m != STALL && c->streaming && c->queued && until_ms(c) <= 0 ? (fds[i].events & (POLLIN | POLLRDNORM)) : 0;
        count += fds[i].revents != 0;
    }
    return count;
}
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    int ours = 0;
    for (nfds_t i = 0; i < n; i++) ours |= camera(fds[i].fd) != NULL;
    if (!ours) return REAL(poll)(fds, n, timeout);
    for (int waited = 0;; waited++) {
        int r = ready(fds, n);
        if (r || (timeout >= 0 && waited >= timeout)) return r;
        if (usleep(1000) < 0) return -1;            /* a signal: EINTR, as the kernel does */
    }
}
int select(int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t)
{
    for (int fd = 0; r && fd < n; fd++) {
        if (!FD_ISSET(fd, r) || !camera(fd)) continue;
        struct pollfd p = {fd, POLLIN, 0};
        int got = poll(&p, 1, t ? (int)(t->tv_sec * 1000 + t->tv_usec / 1000) : -1);
        if (!got) FD_CLR(fd, r);
        return got;
    }
    return REAL(select)(n, r, w, x, t);
}

/* /dev gains one entry; the directory is recognised by its inode. */
static int is_dev(DIR *d)
{
    struct stat a, b;
    return !REAL(fstat)(dirfd(d), &a) && !REAL(stat)("/dev", &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}
struct dirent64 *readdir64(DIR *d)
{
    static __thread struct dirent64 extra;
    static __thread DIR *given;
    struct dirent64 *e = ((struct dirent64 * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir64"))(d);
    if (e) { if (given == d && e->d_off <= 1) given = NULL; return e; }
    if (given == d || !is_dev(d) || !present()) { given = NULL; return NULL; }
    given = d;
    memset(&extra, 0, sizeof extra);
    extra.d_ino = 1; extra.d_reclen = sizeof extra; extra.d_type = DT_CHR;
    strcpy(extra.d_name, "video0");
    return &extra;
}
struct dirent *readdir(DIR *d) { return (struct dirent *)readdir64(d); }

/* Rust's v4l crate calls ioctl through syscall(2). */
long syscall(long number, ...)
{
    va_list v;
    va_start(v, number);
    long a = va_arg(v, long), b = va_arg(v, long), c = va_arg(v, long), d = va_arg(v, long), e = va_arg(v, long), f = va_arg(v, long);
    va_end(v);
    if (number == SYS_ioctl && camera((int)a)) return device_ioctl((int)a, b, (void *)c);
    return REAL(syscall)(number, a, b, c, d, e, f);
}
