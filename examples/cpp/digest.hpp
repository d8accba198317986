#pragma once

#include <filesystem>
#include <string>

// SHA-256 of a file, in hex.
std::string sha256_of(const std::filesystem::path& file);
