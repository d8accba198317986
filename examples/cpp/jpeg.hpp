#pragma once

#include <filesystem>

#include "alignment.hpp"

// A JPEG as it is stored; a tag that turns it is not looked at.
Picture read_jpeg(const std::filesystem::path& file);
