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
  return bundle;
}

}  // namespace

const Artifact& Bundle::artifact(const std::string& file) const {
  for (const Artifact& one : artifacts) {
    const bool runs = one.runtime == "onnxruntime" || one.runtime == "openvino" || one.runtime == "litert";
    if (file.empty() ? runs : one.file == file) return one;
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
