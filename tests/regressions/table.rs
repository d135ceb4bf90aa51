//! docs/regressions.md says what is true.
