#include "arrays.hpp"

#include <zlib.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <regex>

#include "errors.hpp"

namespace {

using Bytes = std::vector<uint8_t>;

// Nothing in a bundle is near this; a damaged size must not ask for the machine's memory.
constexpr size_t kLargest = size_t{1} << 28;

Bytes read_all(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw UserError(file.string() + " cannot be read");
  return Bytes(std::istreambuf_iterator<char>(stream), {});
}

[[noreturn]] void damaged(const std::string& what) {
  throw UserError(what + " is damaged; copy the bundle again, or export it again");
}

// A little-endian number inside a buffer; beyond its end the file is damaged.
size_t number(const Bytes& bytes, size_t at, size_t size, const std::string& what) {
  if (at > bytes.size() || size > bytes.size() - at) damaged(what);
  size_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= static_cast<size_t>(bytes[at + i]) << (8 * i);
  return value;
}

Bytes inflated(const uint8_t* data, size_t packed, size_t size, const std::string& what) {
  Bytes out(size);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) damaged(what);
  stream.next_in = const_cast<Bytef*>(data);
  stream.avail_in = static_cast<uInt>(packed);
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(size);
  const int code = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (code != Z_STREAM_END || stream.total_out != size) damaged(what);
  return out;
}

Array parsed(const Bytes& bytes, const std::string& what) {
  if (bytes.size() < 10 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0) damaged(what);
  const bool first = bytes[6] == 1;
  const size_t start = first ? 10 : 12;
  const size_t length = number(bytes, 8, first ? 2 : 4, what);
  if (length > bytes.size() - start) damaged(what);
  const std::string head(bytes.begin() + start, bytes.begin() + start + length);
  std::smatch found;
  static const std::regex kType("'descr': '[<|]([a-z][0-9])'");
  static const std::regex kShape("'shape': \\(([0-9, ]*)\\)");
  if (!std::regex_search(head, found, kType) || head.find("'fortran_order': False") == std::string::npos) damaged(what);
  Array array;
  array.type = found[1];
  if (!std::regex_search(head, found, kShape)) damaged(what);
  const std::string shape = found[1];
  static const std::regex kNumber("[0-9]{1,9}");
  for (std::sregex_iterator it(shape.begin(), shape.end(), kNumber), end; it != end; ++it) {
    array.shape.push_back(std::stoul(it->str()));
  }
  array.bytes.assign(bytes.begin() + start + length, bytes.end());
  const size_t each = array.type == "f4" ? 4 : 1;
  if (array.type != "f4" && array.type != "u1" && array.type != "b1") {
    throw UserError(what + " holds numbers of the type " + array.type + ", which this program does not read");
  }
  if (array.bytes.size() != array.count() * each) damaged(what);
  return array;
}

}  // namespace

size_t Array::count() const { return std::accumulate(shape.begin(), shape.end(), size_t{1}, std::multiplies<>()); }

const uint8_t* Array::as_bytes() const {
  if (type == "f4") throw UserError("an array of floats stands where bytes were expected");
  return bytes.data();
}

const float* Array::as_floats() const {
  if (type != "f4") throw UserError("an array of bytes stands where floats were expected");
  return reinterpret_cast<const float*>(bytes.data());
}

std::map<std::string, Array> read_npz(const std::filesystem::path& file) {
  const Bytes zip = read_all(file);
  const std::string what = file.string();
  // The end record is the last 22 bytes: NumPy writes no comment.
  if (zip.size() < 22 || number(zip, zip.size() - 22, 4, what) != 0x06054b50) damaged(what);
  const size_t entries = number(zip, zip.size() - 12, 2, what);
  size_t at = number(zip, zip.size() - 6, 4, what);
  std::map<std::string, Array> arrays;
  for (size_t i = 0; i < entries; ++i) {
    if (number(zip, at, 4, what) != 0x02014b50) damaged(what);
    const size_t method = number(zip, at + 10, 2, what), packed = number(zip, at + 20, 4, what);
    const size_t size = number(zip, at + 24, 4, what), name_size = number(zip, at + 28, 2, what);
    const size_t further = number(zip, at + 30, 2, what) + number(zip, at + 32, 2, what);
    const size_t local = number(zip, at + 42, 4, what);
    if (at + 46 + name_size > zip.size() || size > kLargest) damaged(what);
    std::string name(zip.begin() + at + 46, zip.begin() + at + 46 + name_size);
    const size_t start = local + 30 + number(zip, local + 26, 2, what) + number(zip, local + 28, 2, what);
    if (start > zip.size() || packed > zip.size() - start) damaged(what);
    Bytes content = method == 0 ? Bytes(zip.begin() + start, zip.begin() + start + packed)
                                : inflated(zip.data() + start, packed, size, what);
    if (name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0) name.resize(name.size() - 4);
    arrays.emplace(name, parsed(content, what + ": " + name));
    at += 46 + name_size + further;
  }
  return arrays;
}

Array read_npy(const std::filesystem::path& file) { return parsed(read_all(file), file.string()); }

void write_npy(const std::filesystem::path& file, const std::vector<float>& values, size_t rows) {
  std::string head = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                     std::to_string(rows ? values.size() / rows : 0) + "), }";
  head.append(64 - (10 + head.size() + 1) % 64, ' ');
  head += '\n';
  std::ofstream stream(file, std::ios::binary);
  const auto size = static_cast<uint16_t>(head.size());
  stream << "\x93NUMPY" << '\x01' << '\x00' << static_cast<char>(size & 255) << static_cast<char>(size >> 8) << head;
  stream.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
  stream.close();  // what a full disk refuses shows here
  if (!stream) throw UserError(file.string() + " cannot be written");
}
