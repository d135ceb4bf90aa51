//! What the `offhook` program is made of: one file per command, the config, the log.

mod certificates;
pub mod check;
pub mod command;
pub mod config;
pub mod ctl;
pub mod demo;
mod ear;
mod flood;
pub mod import;
mod ink;
mod journal;
pub mod limits;
pub mod log;
mod names;
pub mod outcome;
pub mod phone;
pub mod records;
mod seed;
pub mod serve;
mod softphone;
pub mod telephone;
mod zone;
