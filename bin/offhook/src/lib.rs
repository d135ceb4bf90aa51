//! What the `offhook` program is made of: one file per command, the config, the log.

pub mod check;
pub mod command;
pub mod config;
mod journal;
pub mod limits;
pub mod log;
mod names;
pub mod serve;
