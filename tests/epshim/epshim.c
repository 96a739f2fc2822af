/* A plug-in of ONNX Runtime that is OpenVINO's, told that every device is Intel's: OpenVINO's CPU code
 * runs on other processors too, its plug-in only lists none. For tests.
 *
 * It lies beside the real plug-in, loads that, and hands it a copy of ONNX Runtime's functions in which
 * the two that name a device's vendor are its own. All else is ONNX Runtime's and OpenVINO's.
 * Build: cc -O2 -shared -fPIC -DVENDOR_ID=N -DVENDOR=N -o libonnxruntime_ep_shim.so epshim.c -ldl
 * N are the places of HardwareDevice_VendorId and HardwareDevice_Vendor in OrtApi.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLUG_IN "libonnxruntime_providers_openvino_plugin.so"
#define INTEL 0x8086
/* More than there are, whatever the version; what follows the real ones is copied and never used. */
#define FUNCTIONS 512

/* OrtApiBase. */
struct base {
    const void *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};

static const struct base *real_base;
static void *functions[FUNCTIONS];

static uint32_t vendor_id(const void *device) {
    (void)device;
    return INTEL;
}

static const char *vendor(const void *device) {
    (void)device;
    return "Intel";
}

static const void *get_api(uint32_t version) {
    const void *real = real_base->get_api(version);
    if (!real) return NULL;
    memcpy(functions, real, sizeof functions);
    functions[VENDOR_ID] = (void *)vendor_id;
    functions[VENDOR] = (void *)vendor;
    return functions;
}

static const char *get_version(void) { return real_base->get_version(); }

static const struct base shown_base = {get_api, get_version};

/* A function of the real plug-in. */
static void *real(const char *name) {
    static void *library;
    if (!library) {
        Dl_info own;
        char path[4096];
        const char *slash = dladdr((void *)get_api, &own) ? strrchr(own.dli_fname, '/') : NULL;
        int folder = slash ? (int)(slash + 1 - own.dli_fname) : 0;
        snprintf(path, sizeof path, "%.*s%s", folder, folder ? own.dli_fname : "", PLUG_IN);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    void *function = library ? dlsym(library, name) : NULL;
    if (!function) {
        fprintf(stderr, "epshim: %s\n", dlerror());
        abort();
    }
    return function;
}

void *CreateEpFactories(const char *name, const struct base *base, const void *logger,
                        void **factories, size_t most, size_t *count) {
    void *(*create)(const char *, const struct base *, const void *, void **, size_t, size_t *) =
        real("CreateEpFactories");
    real_base = base;
    return create(name, &shown_base, logger, factories, most, count);
}

void *ReleaseEpFactory(void *factory) {
    void *(*release)(void *) = real("ReleaseEpFactory");
    return release(factory);
}
