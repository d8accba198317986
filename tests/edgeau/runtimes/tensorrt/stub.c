/* Stands where TensorRT's native libraries would be, so that its Python module can be imported and read without a GPU.
   Every entry point gives nothing: whoever tries to make a builder with it is told that there is none. */
#include <stddef.h>

#define NOTHING(name) void *name(void) { return NULL; }

NOTHING(createInferBuilder_INTERNAL)
NOTHING(createInferRuntime_INTERNAL)
NOTHING(createInferRefitter_INTERNAL)
NOTHING(createNvOnnxParser_INTERNAL)
NOTHING(createNvOnnxParserRefitter_INTERNAL)
NOTHING(getPluginRegistry)
NOTHING(getBuilderPluginRegistry)
NOTHING(initLibNvInferPlugins)
int getNvOnnxParserVersion(void) { return 0; }

/* The parsers that TensorRT 8 still had: C++ functions, under their mangled names. */
NOTHING(_ZN11nvuffparser15createUffParserEv)
NOTHING(_ZN11nvuffparser23shutdownProtobufLibraryEv)
NOTHING(_ZN14nvcaffeparser117createCaffeParserEv)
NOTHING(_ZN14nvcaffeparser123shutdownProtobufLibraryEv)
