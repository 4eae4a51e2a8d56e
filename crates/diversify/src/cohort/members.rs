//! A list of items with the rule that makes keys of them, batch by batch.

use tdea::bulk::Engine;

use crate::cohort::rules::{BATCH, Rule};
use crate::cohort::{Cohort, ItemError};

/// The cards of a [`Cohort`] and the rule that makes a key for each. Only this crate has any.
pub trait Members: sealed::Derive<Self::Key, Self::Fault> {
    /// What is made for each card.
    type Key;
    /// What may be wrong with a card.
    type Fault;
}

mod sealed {
    use tdea::bulk::Engine;

    use crate::cohort::ItemError;

    pub trait Derive<K, E> {
        /// Hands out a result for each item, in their order. Returns how many there were.
        fn derive(self, engine: Engine, each: impl FnMut(usize, Result<K, ItemError<E>>)) -> usize;

        /// How many items there are at least.
        fn at_least(&self) -> usize;
    }
}

/// The cohort of `items` by `rule`.
pub(crate) fn of<T, E, I, R>(items: I, rule: R) -> Cohort<impl Members<Key = R::Key, Fault = E>>
where
    T: Copy,
    I: IntoIterator<Item = Result<T, E>>,
    R: Rule<T>,
{
    Cohort { engine: Engine::new(), members: Listed { items: items.into_iter(), rule } }
}

struct Listed<I, R> {
    items: I,
    rule: R,
}

impl<T: Copy, E, I: Iterator<Item = Result<T, E>>, R: Rule<T>> Members for Listed<I, R> {
    type Key = R::Key;
    type Fault = E;
}

impl<T: Copy, E, I: Iterator<Item = Result<T, E>>, R: Rule<T>> sealed::Derive<R::Key, E> for Listed<I, R> {
    fn derive(self, engine: Engine, mut each: impl FnMut(usize, Result<R::Key, ItemError<E>>)) -> usize {
        let mut items = self.items.fuse();
        let mut batch = Batch::new();
        let mut done = 0;
        loop {
            batch.read(&mut items);
            if batch.rows == 0 {
                return done;
            }
            batch.derive(engine, &self.rule, |row, key| {
                let index = done + row;
                each(index, key.map_err(|fault| ItemError { index, fault }));
            });
            done += batch.rows;
        }
    }

    fn at_least(&self) -> usize {
        self.items.size_hint().0
    }
}

/// The next items of a list.
struct Batch<T, E> {
    rows: usize,
    /// The good ones, moved together: the engine takes no others.
    good: [Option<T>; BATCH],
    /// What is wrong with each row, if anything.
    faults: [Option<E>; BATCH],
}

impl<T: Copy, E> Batch<T, E> {
    const fn new() -> Self {
        Self { rows: 0, good: [None; BATCH], faults: [const { None }; BATCH] }
    }

    fn read(&mut self, items: &mut impl Iterator<Item = Result<T, E>>) {
        self.rows = 0;
        self.good.fill(None);
        let mut good = self.good.iter_mut();
        for (fault, item) in self.faults.iter_mut().zip(items) {
            self.rows += 1;
            match item {
                Ok(item) => *good.next().expect("there is a place for each row") = Some(item),
                Err(error) => *fault = Some(error),
            }
        }
    }

    /// Hands out a result for each row.
    fn derive<R: Rule<T>>(
        &mut self,
        engine: Engine,
        rule: &R,
        mut each: impl FnMut(usize, Result<R::Key, E>),
    ) {
        let mut rows = self.faults.iter_mut().map(Option::take).enumerate().take(self.rows);
        rule.derive(engine, self.good.iter().map_while(|item| *item), |key| {
            // The key belongs to the next row without a fault.
            for (row, fault) in rows.by_ref() {
                match fault {
                    Some(fault) => each(row, Err(fault)),
                    None => return each(row, Ok(key)),
                }
            }
        });
        for (row, fault) in rows {
            each(row, Err(fault.expect("every good row has had its key")));
        }
    }
}
