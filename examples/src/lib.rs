//! Examples of cardroot at work.
