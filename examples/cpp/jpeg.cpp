#include "jpeg.hpp"

#include <cstdio>
#include <memory>

#include <jpeglib.h>

#include "errors.hpp"

namespace {

[[noreturn]] void refuse(j_common_ptr state) {
  char text[JMSG_LENGTH_MAX];
  state->err->format_message(state, text);
  throw UserError(std::string("the picture is no JPEG that can be read: ") + text);
}

struct Decoder {
  jpeg_decompress_struct state{};
  jpeg_error_mgr errors{};

  Decoder() {
    state.err = jpeg_std_error(&errors);
    errors.error_exit = refuse;
    jpeg_create_decompress(&state);
  }
  ~Decoder() { jpeg_destroy_decompress(&state); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

}  // namespace

Picture read_jpeg(const std::filesystem::path& file) {
  const std::unique_ptr<FILE, int (*)(FILE*)> stream(std::fopen(file.c_str(), "rb"), std::fclose);
  if (!stream) throw UserError(file.string() + " cannot be read");
  Decoder decoder;
  jpeg_stdio_src(&decoder.state, stream.get());
  jpeg_read_header(&decoder.state, TRUE);
  decoder.state.out_color_space = JCS_RGB;
  jpeg_start_decompress(&decoder.state);
  Picture picture{decoder.state.output_height, decoder.state.output_width, {}};
  picture.rgb.resize(picture.height * picture.width * 3);
  while (decoder.state.output_scanline < decoder.state.output_height) {
    JSAMPROW row = picture.rgb.data() + size_t{decoder.state.output_scanline} * picture.width * 3;
    jpeg_read_scanlines(&decoder.state, &row, 1);
  }
  jpeg_finish_decompress(&decoder.state);
  return picture;
}
