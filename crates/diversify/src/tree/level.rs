//! The levels of the tree as types, and which purposes keys have at each.

use crate::level::LevelId;
use crate::tree::purpose::{Function, Master, Purpose, Secondaries};

/// A level of the tree at which keys of purpose `P` stand. No other crate can implement it.
pub trait Level<P: Purpose>: sealed::Sealed {
    /// The level at run time.
    const ID: LevelId;
}

/// The root of the tree.
#[derive(Clone, Copy, Debug)]
pub enum Parent {}
/// The masters made from the root.
#[derive(Clone, Copy, Debug)]
pub enum Secondary {}
/// The keys of the province.
#[derive(Clone, Copy, Debug)]
pub enum Province {}
/// The keys of one city.
#[derive(Clone, Copy, Debug)]
pub enum City {}
/// The keys of one card.
#[derive(Clone, Copy, Debug)]
pub enum Card {}

impl Level<Secondaries> for Parent {
    const ID: LevelId = LevelId::Parent;
}

impl<M: Master> Level<M> for Secondary {
    const ID: LevelId = LevelId::Secondary;
}

impl<F: Function> Level<F> for Province {
    const ID: LevelId = LevelId::Province;
}

impl<F: Function> Level<F> for City {
    const ID: LevelId = LevelId::City;
}

impl<F: Function> Level<F> for Card {
    const ID: LevelId = LevelId::Card;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Parent {}
    impl Sealed for super::Secondary {}
    impl Sealed for super::Province {}
    impl Sealed for super::City {}
    impl Sealed for super::Card {}
}
