//! SIP: Session Initiation Protocol.

mod section_10_3;
mod section_11;
mod section_12;
mod section_12_1;
mod section_13;
mod section_16_11;
mod section_16_3;
mod section_16_4;
mod section_16_5;
mod section_16_6;
mod section_16_7;
mod section_16_8;
mod section_17_1;
mod section_17_2;
mod section_18;
mod section_18_1;
mod section_19_1;
mod section_20;
mod section_22;
mod section_22_2;
mod section_7;
mod section_8_1;
mod section_8_2;
mod section_8_2_phone;
mod section_8_3;
mod section_9;
