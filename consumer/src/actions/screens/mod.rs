//! Screens: browsers that show their content, and obey.

pub mod player;
