//! A randomised search for small circuits, after the method of M. Kwan ("Reducing the gate count of bitslice DES").
//!
//! An output is built from the wires that are there already. A function is wanted only under a mask of inputs that still
//! matter. In this order: a wire that has it, one gate, two gates (of two inputs); otherwise the inputs are split by one
//! input bit `x` and both halves are built, each under its half of the mask, and joined: by one gate that selects, or by
//! `half ^ (x & other)` where `other` is the difference. All bits are tried, in random order, and the fewest gates win.
//! Inversions are free: the gates that read a wire absorb them. What differs between runs is the order of outputs, of
//! bits and of wires; a run is abandoned once it can't be smaller than the best one known.

use crate::circuit::{Circuit, Family, Gate, Output, apply};
use crate::random::Random;
use crate::sbox::{self, INPUTS, Truth};

/// An upper bound of wires: the six inputs and every gate.
const MOST_WIRES: usize = 80;

/// A wire or its inverse.
#[derive(Clone, Copy, Debug)]
struct Signal {
    wire: usize,
    inverted: bool,
}

/// A circuit that grows.
#[derive(Clone)]
struct Draft {
    truths: [Truth; MOST_WIRES],
    gates: [(u8, [u8; 3]); MOST_WIRES],
    len: usize,
}

impl Draft {
    fn new() -> Self {
        let mut draft = Self { truths: [0; MOST_WIRES], gates: [(0, [0; 3]); MOST_WIRES], len: INPUTS.len() };
        draft.truths[..INPUTS.len()].copy_from_slice(&INPUTS);
        draft
    }

    fn truth(&self, signal: Signal) -> Truth {
        self.truths[signal.wire] ^ if signal.inverted { !0 } else { 0 }
    }

    /// Adds a gate of `inputs`, whose inversions the table absorbs; an equal or inverse wire serves instead.
    fn add(&mut self, table: u8, inputs: &[Signal]) -> Signal {
        let table = absorb(table, inputs);
        let mut wires = [0; 3];
        for (wire, input) in wires.iter_mut().zip(inputs) {
            *wire = u8::try_from(input.wire).expect("there are fewer wires than 256");
        }
        let values: Vec<Truth> = inputs.iter().map(|input| self.truths[input.wire]).collect();
        self.truths[self.len] = apply(table, &values);
        self.gates[self.len] = (table, wires);
        self.len += 1;
        Signal { wire: self.len - 1, inverted: false }
    }
}

/// The table that does to the wires what `table` does to the signals.
fn absorb(table: u8, inputs: &[Signal]) -> u8 {
    let rows = 1_usize << inputs.len();
    let flip = inputs.iter().fold(0, |bits, input| bits << 1 | usize::from(input.inverted));
    (0..rows).fold(0, |out, row| out | ((table >> (row ^ flip)) & 1) << row)
}

/// What a wire should carry, where it matters: `ones` and `zeros` together are the mask.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    ones: Truth,
    zeros: Truth,
}

impl Wanted {
    pub(crate) const fn new(truth: Truth, mask: Truth) -> Self {
        Self { ones: truth & mask, zeros: !truth & mask }
    }

    pub(crate) const fn mask(self) -> Truth {
        self.ones | self.zeros
    }

    /// Whether a wire has it as it is, or inverted.
    pub(crate) const fn is(self, wire: Truth) -> Option<bool> {
        match (self.ones & !wire | self.zeros & wire, self.ones & wire | self.zeros & !wire) {
            (0, _) => Some(false),
            (_, 0) => Some(true),
            _ => None,
        }
    }

    /// Whether some function of one wire has it.
    pub(crate) const fn settled_by(self, wire: Truth) -> bool {
        !(self.ones & wire != 0 && self.zeros & wire != 0
            || self.ones & !wire != 0 && self.zeros & !wire != 0)
    }

    pub(crate) const fn under(self, mask: Truth) -> Self {
        Self { ones: self.ones & mask, zeros: self.zeros & mask }
    }

    /// The table of a gate of these wires that has it; rows that never occur are zero.
    pub(crate) fn table(self, wires: &[Truth]) -> u8 {
        (0..1_usize << wires.len()).fold(0, |table, row| {
            let region = apply(1 << row, wires);
            table | u8::from(self.ones & region != 0) << row
        })
    }
}

/// One search: a box, a family and the randomness.
#[derive(Debug)]
pub struct Search {
    family: Family,
    number: usize,
    random: Random,
}

impl Search {
    /// Starts a search for box `number`, 1 to 8.
    #[must_use]
    pub fn new(family: Family, number: usize, seed: u64) -> Self {
        Self { family, number, random: Random::new(seed) }
    }

    /// Makes one run for a circuit of at most `most` gates.
    pub fn run(&mut self, most: usize) -> Option<Circuit> {
        let targets = sbox::outputs(self.number);
        let mut order = [0, 1, 2, 3];
        self.random.shuffle(&mut order);
        let mut draft = Draft::new();
        let mut outputs: [Vec<Signal>; 4] = Default::default();
        for bit in order {
            let budget = (INPUTS.len() + most).checked_sub(draft.len)?;
            let (next, signals) = self.output(&draft, targets[bit], budget)?;
            draft = next;
            outputs[bit] = signals;
        }
        let circuit = self.finish(&draft, &outputs);
        circuit.prove().expect("a circuit that was built is right");
        Some(circuit)
    }

    fn output(&mut self, draft: &Draft, target: Truth, budget: usize) -> Option<(Draft, Vec<Signal>)> {
        let mut best = None;
        let mut budget = budget;
        // The XOR with a wire comes free where outputs may be pairs; three of them are tried beside the plain output.
        let tries = if self.family == Family::Lut3Pair { 4 } else { 1 };
        for attempt in 0..tries {
            let partner = (attempt > 0).then(|| self.random.below(draft.len));
            let wanted = Wanted::new(target ^ partner.map_or(0, |wire| draft.truths[wire]), !0);
            if let Some((next, signal)) = self.build(draft, wanted, 0b11_1111, budget) {
                budget = (next.len - draft.len).checked_sub(1)?;
                let partner = partner.map(|wire| Signal { wire, inverted: false });
                best = Some((next, [Some(signal), partner].into_iter().flatten().collect()));
            }
        }
        best
    }

    /// Builds what is wanted with at most `budget` more gates, splitting by the input bits in `bits` only.
    fn build(&mut self, draft: &Draft, wanted: Wanted, bits: u8, budget: usize) -> Option<(Draft, Signal)> {
        if draft.len + budget > MOST_WIRES {
            return None;
        }
        let order = self.wire_order(draft.len);
        if let Some(signal) = find_wire(draft, wanted, &order) {
            return Some((draft.clone(), signal));
        }
        if budget == 0 {
            return None;
        }
        let found = match self.family {
            Family::Plain => find_pair(draft, wanted, &order),
            Family::Lut3 | Family::Lut3Pair => find_triple(draft, wanted, &order),
        };
        if found.is_some() || budget == 1 {
            return found;
        }
        if self.family == Family::Plain {
            let found = find_two_gates(draft, wanted, &order);
            if found.is_some() || budget == 2 {
                return found;
            }
        }
        self.split(draft, wanted, bits, budget)
    }

    fn split(&mut self, draft: &Draft, wanted: Wanted, bits: u8, budget: usize) -> Option<(Draft, Signal)> {
        let join = if self.family == Family::Plain { 2 } else { 1 };
        let mut choices: Vec<(usize, bool)> =
            (0..6).filter(|bit| bits >> bit & 1 == 1).flat_map(|bit| [(bit, false), (bit, true)]).collect();
        self.random.shuffle(&mut choices);
        // Near the root a few choices each run: more runs find more than complete ones.
        if bits.count_ones() > 4 {
            choices.truncate(if bits.count_ones() == 6 { 2 } else { 4 });
        }
        let mut best = None;
        let mut budget = budget;
        for (bit, second_half_first) in choices {
            let Some(inner) = budget.checked_sub(join) else { break };
            let input = INPUTS[bit];
            let side = if second_half_first { input } else { !input };
            let bits = bits & !(1 << bit);
            let Some((next, half)) = self.build(draft, wanted.under(side), bits, inner) else { continue };
            let left = inner - (next.len - draft.len);
            let rest = match self.family {
                Family::Plain => Wanted::new(wanted.ones ^ next.truth(half), wanted.mask() & !side),
                Family::Lut3 | Family::Lut3Pair => wanted.under(!side),
            };
            let Some((mut next, other)) = self.build(&next, rest, bits, left) else { continue };
            let selector = Signal { wire: bit, inverted: !second_half_first };
            let joined = if self.family == Family::Plain {
                // `half` stands where the selector is one; where it is zero the difference comes in.
                let difference = next.add(0b0010, &[selector, other]);
                next.add(0b0110, &[half, difference])
            } else {
                next.add(0xCA, &[selector, half, other])
            };
            let used = next.len - draft.len;
            best = Some((next, joined));
            match used.checked_sub(1) {
                Some(less) => budget = less,
                None => break,
            }
        }
        best
    }

    fn finish(&self, draft: &Draft, outputs: &[Vec<Signal>; 4]) -> Circuit {
        let inputs = if self.family == Family::Plain { 2 } else { 3 };
        let gates = draft.gates[INPUTS.len()..draft.len]
            .iter()
            .map(|(table, wires)| Gate {
                table: *table,
                wires: wires[..inputs].iter().map(|wire| usize::from(*wire)).collect(),
            })
            .collect();
        let outputs = outputs
            .iter()
            .map(|signals| Output {
                wires: signals.iter().map(|signal| signal.wire).collect(),
                inverted: signals.iter().fold(false, |inverted, signal| inverted ^ signal.inverted),
            })
            .collect();
        Circuit { family: self.family, number: self.number, gates, outputs }
    }

    fn wire_order(&mut self, len: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        self.random.shuffle(&mut order);
        order
    }
}

fn find_wire(draft: &Draft, wanted: Wanted, order: &[usize]) -> Option<Signal> {
    order.iter().find_map(|&wire| wanted.is(draft.truths[wire]).map(|inverted| Signal { wire, inverted }))
}

/// Adds the gate of these wires that has what is wanted.
fn with_gate(draft: &Draft, wanted: Wanted, wires: &[usize]) -> (Draft, Signal) {
    let truths: Vec<Truth> = wires.iter().map(|wire| draft.truths[*wire]).collect();
    let inputs: Vec<Signal> = wires.iter().map(|&wire| Signal { wire, inverted: false }).collect();
    let mut next = draft.clone();
    let signal = next.add(wanted.table(&truths), &inputs);
    (next, signal)
}

fn find_pair(draft: &Draft, wanted: Wanted, order: &[usize]) -> Option<(Draft, Signal)> {
    for (position, &first) in order.iter().enumerate() {
        let truth = draft.truths[first];
        let (with, without) = (wanted.under(truth), wanted.under(!truth));
        for &second in &order[position + 1..] {
            let other = draft.truths[second];
            if with.settled_by(other) && without.settled_by(other) {
                return Some(with_gate(draft, wanted, &[first, second]));
            }
        }
    }
    None
}

fn find_triple(draft: &Draft, wanted: Wanted, order: &[usize]) -> Option<(Draft, Signal)> {
    for (i, &first) in order.iter().enumerate() {
        let truth = draft.truths[first];
        let halves = [wanted.under(truth), wanted.under(!truth)];
        for (j, &second) in order.iter().enumerate().skip(i + 1) {
            let truth = draft.truths[second];
            let quarters = [
                halves[0].under(truth),
                halves[0].under(!truth),
                halves[1].under(truth),
                halves[1].under(!truth),
            ];
            for &third in &order[j + 1..] {
                if quarters.iter().all(|quarter| quarter.settled_by(draft.truths[third])) {
                    return Some(with_gate(draft, wanted, &[first, second, third]));
                }
            }
        }
    }
    None
}

fn find_two_gates(draft: &Draft, wanted: Wanted, order: &[usize]) -> Option<(Draft, Signal)> {
    /// Up to inversions, all functions of two wires.
    const TABLES: [u8; 5] = [0b0001, 0b0010, 0b0100, 0b1000, 0b0110];
    for (position, &first) in order.iter().enumerate() {
        for &second in &order[position + 1..] {
            let (a, b) = (draft.truths[first], draft.truths[second]);
            for (table, truth) in TABLES.into_iter().zip([!a & !b, !a & b, a & !b, a & b, a ^ b]) {
                let (with, without) = (wanted.under(truth), wanted.under(!truth));
                let third = order.iter().find(|third| {
                    with.settled_by(draft.truths[**third]) && without.settled_by(draft.truths[**third])
                });
                if let Some(&third) = third {
                    let mut next = draft.clone();
                    let inputs = [first, second].map(|wire| Signal { wire, inverted: false });
                    let inner = next.add(table, &inputs);
                    return Some(with_gate(&next, wanted, &[inner.wire, third]));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_finds_a_circuit_for_box_4() {
        for (family, most) in [(Family::Plain, 60), (Family::Lut3, 30), (Family::Lut3Pair, 30)] {
            let mut search = Search::new(family, 4, 0x5EED);
            let circuit = (0..50).find_map(|_| search.run(most)).expect("a loose bound is met");
            assert_eq!(circuit.prove(), Ok(()));
        }
    }
}
