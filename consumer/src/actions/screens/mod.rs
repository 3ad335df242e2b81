//! Screens: browsers that show what they are given.

pub mod datasources;
