// The one kind of error that a user sees: a sentence that says what is wrong and what to do.
#pragma once

#include <stdexcept>

struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
