//! Items that are put in order at a time: a batch takes as many steps as the item that needs most, so it is made of items that
//! need like numbers of them.

#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "numbers of steps and positions in a window, counted here"
)]

use tdea::bulk::Engine;
use zeroize::optimization_barrier;

use super::Halves;
use super::items::{Goal, Items};
use super::lanes::{Batch, Lanes};
use crate::counter::Counter;
use crate::keys::DeriveError;

/// Items of a window.
pub(super) const LEN: usize = 4096;
/// In the place of a number of steps: the item is refused.
const REFUSED: u8 = Counter::MAX_ONES as u8 + 1;
/// Numbers of steps, and the one for what is refused.
const NUMBERS: usize = REFUSED as usize + 1;

/// A window and its results, which are wiped on drop.
pub(super) struct Window {
    /// Positions, those with few steps first and those refused last.
    order: [u16; LEN],
    steps: [u8; LEN],
    results: [Halves; LEN],
    /// How many results there were at most.
    used: usize,
}

impl Window {
    pub(super) const fn new() -> Self {
        Self { order: [0; LEN], steps: [0; LEN], results: [[[0; 8]; 2]; LEN], used: 0 }
    }

    /// Derives what `goal` says for every item, and gives the results in their order. A batch smaller than `worth` takes the
    /// one-block road.
    pub(super) fn derive<'a>(
        &mut self,
        engine: Engine,
        worth: usize,
        lanes: &mut Option<Lanes<'a>>,
        items: Items<'a>,
        goal: Goal<'_>,
    ) -> impl Iterator<Item = Result<&Halves, DeriveError>> {
        let accepted = self.sort(items, goal);
        self.used = self.used.max(items.ksns.len());
        for positions in self.order[..accepted].chunks(engine.lanes()) {
            if positions.len() < worth {
                for position in positions.iter().map(|position| usize::from(*position)) {
                    items.derive_one(goal, position, &mut self.results[position]);
                }
            } else {
                let steps = self.steps[usize::from(positions[positions.len() - 1])];
                let batch = Batch { items, goal, positions, steps };
                lanes.get_or_insert_with(|| Lanes::new(engine)).derive(&batch, &mut self.results);
            }
        }
        let results = self.steps.iter().zip(&self.results).take(items.ksns.len()).enumerate();
        results.map(move |(position, (steps, halves))| match *steps {
            REFUSED => items.steps(goal, position).map(|_| halves),
            _ => Ok(halves),
        })
    }

    /// Puts the positions in order, and returns how many are not refused. Counters are public.
    fn sort(&mut self, items: Items<'_>, goal: Goal<'_>) -> usize {
        // Where the positions with each number of steps begin.
        let mut places = [0_usize; NUMBERS + 1];
        for (position, steps) in (0..items.ksns.len()).zip(&mut self.steps) {
            *steps = items.steps(goal, position).map_or(REFUSED, |steps| steps as u8);
            places[usize::from(*steps) + 1] += 1;
        }
        for steps in 0..NUMBERS {
            places[steps + 1] += places[steps];
        }
        let accepted = places[usize::from(REFUSED)];
        for (position, steps) in self.steps.iter().enumerate().take(items.ksns.len()) {
            let place = &mut places[usize::from(*steps)];
            self.order[*place] = position as u16;
            *place += 1;
        }
        accepted
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let used = &mut self.results[..self.used];
        used.fill([[0; 8]; 2]);
        optimization_barrier(used);
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    use tdea::TdeaKey;

    use super::super::StrongBdk;
    use super::super::items::Parents;
    use super::*;
    use crate::{Bdk, Ksn};

    #[test]
    fn items_stand_by_their_steps_and_those_refused_are_left_out() {
        let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
        let parents = Parents::Bdk(StrongBdk::new(&bdk).unwrap());
        let counters = [0x7FE, 0, 1, 0x1F_F800, 0x7FF, 3, 2, 0x1F_FFFF, 7];
        let ksns: Vec<Ksn> =
            counters.iter().map(|counter| Ksn::from([0x11; 10]).with_counter_bits(*counter)).collect();
        let items = Items { parents, ksns: &ksns };
        let mut window = Box::new(Window::new());
        assert_eq!(window.sort(items, Goal::TransactionKey), 6);
        assert_eq!(window.order[..6], [2, 6, 5, 8, 0, 3]);
        // The counter plays no part in an initial key.
        assert_eq!(window.sort(items, Goal::InitialKey), 9);
        assert_eq!(window.order[..9], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
