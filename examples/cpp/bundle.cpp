#include "bundle.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "digest.hpp"
#include "errors.hpp"

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kNewestSchema = 3;
constexpr size_t kLongestSide = 4096;

fs::path inside(const fs::path& folder, const std::string& name) {
  const fs::path path(name);
  const bool leaves = std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
  if (name.empty() || path.is_absolute() || leaves || name.find('\\') != std::string::npos) {
    throw UserError("manifest.json names a file outside the bundle: " + name);
  }
  return folder / path;
}

void verify(const fs::path& folder, const json& record) {
  const fs::path path = inside(folder, record.at("file"));
  if (!fs::is_regular_file(path) || fs::file_size(path) != record.at("bytes").get<uintmax_t>() ||
      sha256_of(path) != record.at("sha256").get<std::string>()) {
    throw UserError(path.string() + " is missing or not as the manifest has it; copy the bundle again");
  }
}

// What is used must be among what was verified.
void check_listed(const json& files, const std::string& name) {
  for (const json& record : files) {
    if (record.at("file").get<std::string>() == name) return;
  }
  throw UserError("manifest.json does not list " + name + ", so it cannot be verified; export the bundle again");
}

void check_input(const Input& input, const Alignment& alignment) {
  const bool grey = input.color == "GRAY";
  if (!grey && input.color != "RGB" && input.color != "BGR") {
    throw UserError("manifest.json: input: color " + input.color + "; this program knows RGB, BGR and GRAY");
  }
  const size_t channels = grey ? 1 : 3;
  const bool above = std::all_of(input.std.begin(), input.std.end(), [](float value) { return value > 0; });
  if (input.mean.size() != channels || input.std.size() != channels || !above) {
    throw UserError("manifest.json: input: mean and std do not fit " + input.color + "; export the bundle again");
  }
  if (std::min(input.height, input.width) < 1 || std::max(input.height, input.width) > kLongestSide) {
    throw UserError("manifest.json: input: size; a side has 1 to " + std::to_string(kLongestSide) + " pixels");
  }
  const auto height = static_cast<double>(input.height), width = static_cast<double>(input.width);
  if (alignment.method == "five-point-box" && (alignment.size != height || alignment.size != width)) {
    throw UserError("manifest.json: the input's size is not the alignment's; export the bundle again");
  }
}

Artifact artifact_from(const json& values, const std::vector<std::string>& labels) {
  Artifact artifact{values.at("file"), values.at("runtime"), values.at("precision"), false, {}};
  artifact.probabilities = values.value("answers", "logits") == "probabilities";
  for (const std::string& label : labels) artifact.thresholds.push_back(values.at("thresholds").at(label));
  return artifact;
}

Bundle bundle_from(const fs::path& folder, const json& values) {
  const int version = values.value("schema_version", 0);
  if (version < 1 || version > kNewestSchema) {
    throw UserError("manifest.json has schema version " + std::to_string(version) + ", this program reads up to " +
                    std::to_string(kNewestSchema));
  }
  for (const json& record : values.at("files")) verify(folder, record);
  Bundle bundle;
  bundle.folder = folder;
  bundle.title = values.at("network").at("title");
  bundle.trained = values.at("network").at("trained");
  bundle.labels = values.at("labels").get<std::vector<std::string>>();
  const json& input = values.at("input");
  bundle.input = {input.at("size").at(0), input.at("size").at(1), input.at("color"), input.at("mean"), input.at("std")};
  const json& alignment = values.at("alignment");
  bundle.alignment = {alignment.at("method"), alignment.value("size", 0.0), alignment.value("canvas", 0.0),
                      alignment.value("margin", 0.0), alignment.value("border", 128)};
  for (const json& item : values.at("artifacts")) bundle.artifacts.push_back(artifact_from(item, bundle.labels));
  bundle.golden = values.at("golden");
  for (const Artifact& artifact : bundle.artifacts) check_listed(values.at("files"), artifact.file);
  check_listed(values.at("files"), bundle.golden);
  check_input(bundle.input, bundle.alignment);
  return bundle;
}

}  // namespace

const Artifact& Bundle::artifact(const std::string& file) const {
  const auto ends_in = [&](const std::string& suffix) {
    return file.size() > suffix.size() && file.compare(file.size() - suffix.size(), suffix.size(), suffix) == 0;
  };
  // Beside files of other formats OpenVINO reads further ones, which nobody verified: a .bin beside an .xml.
  if (!file.empty() && !ends_in(".onnx") && !ends_in(".tflite")) {
    throw UserError(file + " is not an .onnx or .tflite file, which this program runs");
  }
  for (const Artifact& one : artifacts) {
    const bool runs = one.runtime == "onnxruntime" || one.runtime == "openvino" || one.runtime == "litert";
    if (file.empty() ? runs : one.file == file) return file.empty() ? artifact(one.file) : one;
  }
  throw UserError(file.empty() ? "the bundle has no .onnx or .tflite file that OpenVINO could run"
                               : "the bundle has no artifact " + file);
}

Bundle read_bundle(const fs::path& folder) {
  std::ifstream stream(folder / "manifest.json");
  if (!stream) throw UserError(folder.string() + " is no bundle: it has no manifest.json");
  try {
    return bundle_from(folder, json::parse(stream));
  } catch (const json::exception& error) {
    throw UserError(std::string("manifest.json is damaged: ") + error.what());
  }
}
