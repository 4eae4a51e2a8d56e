//! A random walk from a circuit to smaller ones.
//!
//! A gate matters only for the inputs for which inverting it would change an output. Any other gate that agrees there, of any wires
//! that do not depend on it, may take its place. Such exchanges leave the circuit right and now and then leave a gate that nothing
//! reads. The walk takes exchanges that cost nothing, sometimes one that costs a gate, and keeps the cheapest circuit seen.

use crate::circuit::{Circuit, Family, Gate, apply};
use crate::emit;
use crate::random::Random;
use crate::sbox::{INPUTS, Truth};
use crate::search::Wanted;

/// How much dearer than the cheapest circuit the walk may be: two gates.
const SLACK: usize = 2 * GATE;
/// After so many steps without a cheaper circuit the walk starts again from the cheapest one.
const PATIENCE: u32 = 200_000;

/// One walk.
#[derive(Debug)]
pub struct Walk {
    best: Circuit,
    now: Circuit,
    random: Random,
    idle: u32,
}

impl Walk {
    /// Starts from `circuit`.
    #[must_use]
    pub fn new(circuit: Circuit, seed: u64) -> Self {
        Self { now: circuit.clone(), best: circuit, random: Random::new(seed), idle: 0 }
    }

    /// Takes a step; returns the circuit if it is the cheapest so far.
    pub fn step(&mut self) -> Option<&Circuit> {
        self.idle += 1;
        if self.idle > PATIENCE {
            self.now = self.best.clone();
            self.idle = 0;
        }
        let next = self.exchange()?;
        let (cost, least) = (cost(&next), cost(&self.best));
        let slack = if self.random.below(4) == 0 { SLACK } else { GATE };
        if cost > least + slack {
            return None;
        }
        self.now = next;
        // As cheap is as good: the walk goes on from somewhere else.
        if cost <= least {
            self.best = self.now.clone();
        }
        if cost < least {
            self.idle = 0;
            return Some(&self.best);
        }
        None
    }

    /// The circuit with another gate in the place of one of its gates.
    fn exchange(&mut self) -> Option<Circuit> {
        let wires = self.now.wires();
        let place = self.random.below(self.now.gates.len());
        let wanted = Wanted::new(wires[6 + place], care(&self.now, &wires, place));
        let free = independent(&self.now, place);
        let mut next = self.now.clone();
        if let Some(&wire) = free.iter().find(|wire| wanted.is(wires[**wire]).is_some()) {
            let inverted = wanted.is(wires[wire])?;
            next.replace(6 + place, wire, inverted);
            return Some(next.tidied());
        }
        if self.random.below(8) == 0 {
            self.with_another(&mut next, &wires, &free, place, wanted)?;
        } else {
            next.gates[place] = self.gate(&wires, &free, wanted)?;
        }
        Some(next.tidied())
    }

    /// Any gate of these wires that has what is wanted, each with the same chance.
    fn gate(&mut self, wires: &[Truth], free: &[usize], wanted: Wanted) -> Option<Gate> {
        let mut found: Vec<Vec<usize>> = Vec::new();
        if self.now.family == Family::Plain {
            for (position, &first) in free.iter().enumerate() {
                let halves = [wanted.under(wires[first]), wanted.under(!wires[first])];
                for &second in &free[position + 1..] {
                    if halves.iter().all(|half| half.settled_by(wires[second])) {
                        found.push(vec![first, second]);
                    }
                }
            }
        } else {
            // Triples are many: those that hold one random wire.
            let first = free[self.random.below(free.len())];
            let halves = [wanted.under(wires[first]), wanted.under(!wires[first])];
            for (position, &second) in free.iter().enumerate().filter(|(_, wire)| **wire != first) {
                let quarters = halves.map(|half| [half.under(wires[second]), half.under(!wires[second])]);
                for &third in free[position + 1..].iter().filter(|wire| **wire != first) {
                    if quarters.as_flattened().iter().all(|quarter| quarter.settled_by(wires[third])) {
                        found.push(vec![first, second, third]);
                    }
                }
            }
        }
        if found.is_empty() {
            return None;
        }
        let chosen = found.swap_remove(self.random.below(found.len()));
        let truths: Vec<Truth> = chosen.iter().map(|wire| wires[*wire]).collect();
        // Rows that never matter are drawn.
        let rows = 1_usize << truths.len();
        let idle = (0..rows).filter(|row| wanted.mask() & apply(1 << row, &truths) == 0);
        let noise = idle.fold(0, |bits, row| bits | u8::from(self.random.below(2) == 1) << row);
        Some(Gate { table: wanted.table(&truths) | noise, wires: chosen })
    }

    /// Puts a gate of a new random gate and a wire in the place.
    fn with_another(
        &mut self,
        next: &mut Circuit,
        wires: &[Truth],
        free: &[usize],
        place: usize,
        wanted: Wanted,
    ) -> Option<()> {
        let inputs = if next.family == Family::Plain { 2 } else { 3 };
        for _ in 0..200 {
            let mut chosen: Vec<usize> = Vec::new();
            while chosen.len() < inputs {
                let wire = free[self.random.below(free.len())];
                if !chosen.contains(&wire) {
                    chosen.push(wire);
                }
            }
            let truths: Vec<Truth> = chosen.iter().map(|wire| wires[*wire]).collect();
            let rows = 1 << truths.len();
            let table =
                u8::try_from(1 + self.random.below((1 << rows) - 2)).expect("a table has eight rows at most");
            let truth = apply(table, &truths);
            let halves = [wanted.under(truth), wanted.under(!truth)];
            let start = self.random.below(free.len());
            let partner = free[start..]
                .iter()
                .chain(&free[..start])
                .find(|wire| halves.iter().all(|half| half.settled_by(wires[**wire])));
            if let Some(&partner) = partner {
                next.gates.push(Gate { table, wires: chosen });
                let inner = 6 + next.gates.len() - 1;
                let mut table = wanted.table(&[truth, wires[partner]]);
                let mut place_wires = vec![inner, partner];
                if inputs == 3 {
                    // A third wire that the table ignores.
                    table = (0..8).fold(0, |out, row| out | ((table >> (row >> 1)) & 1) << row);
                    place_wires.push(*free.iter().find(|wire| **wire != partner)?);
                }
                next.gates[place] = Gate { table, wires: place_wires };
                return Some(());
            }
        }
        None
    }
}

/// What a gate costs.
const GATE: usize = 8;
/// What a gate on the longest way through the circuit costs beside: a round waits for the one before it.
const DEPTH: usize = 4;

/// The gates and the longest way through them; for two inputs also the wires that some gate needs inverted, but little, since most vector
/// instructions have AND-NOT.
fn cost(circuit: &Circuit) -> usize {
    let inverted = if circuit.family == Family::Plain { emit::inverted_wires(circuit, 0) } else { 0 };
    GATE * circuit.gates.len() + DEPTH * circuit.depth() + inverted
}

/// The inputs for which inverting the gate at `place` changes an output.
fn care(circuit: &Circuit, wires: &[Truth], place: usize) -> Truth {
    let mut changed = wires.to_vec();
    changed[6 + place] = !changed[6 + place];
    for (index, gate) in circuit.gates.iter().enumerate().skip(place + 1) {
        let mut inputs = [0; 3];
        for (input, wire) in inputs.iter_mut().zip(&gate.wires) {
            *input = changed[*wire];
        }
        changed[6 + index] = apply(gate.table, &inputs[..gate.wires.len()]);
    }
    circuit.outputs.iter().fold(0, |care, output| {
        let value = |wires: &[Truth]| output.wires.iter().fold(0, |sum, wire| sum ^ wires[*wire]);
        care | value(wires) ^ value(&changed)
    })
}

/// The wires that do not depend on the gate at `place`.
fn independent(circuit: &Circuit, place: usize) -> Vec<usize> {
    let mut depends = vec![false; 6 + circuit.gates.len()];
    depends[6 + place] = true;
    for (index, gate) in circuit.gates.iter().enumerate().skip(place + 1) {
        depends[6 + index] = gate.wires.iter().any(|wire| depends[*wire]);
    }
    (0..depends.len()).filter(|wire| !depends[*wire]).collect()
}

impl Circuit {
    /// Lets everything that reads `old` read `new` or its inverse.
    fn replace(&mut self, old: usize, new: usize, inverted: bool) {
        for gate in &mut self.gates {
            for position in 0..gate.wires.len() {
                if gate.wires[position] == old {
                    gate.wires[position] = new;
                    if inverted {
                        let bit = 1 << (gate.wires.len() - 1 - position);
                        gate.table = (0..1_usize << gate.wires.len())
                            .fold(0, |table, row| table | ((gate.table >> (row ^ bit)) & 1) << row);
                    }
                }
            }
        }
        for output in &mut self.outputs {
            for wire in output.wires.iter_mut().filter(|wire| **wire == old) {
                *wire = new;
                output.inverted ^= inverted;
            }
        }
    }

    /// The gates that are read, each after those it reads, none twice.
    fn tidied(&self) -> Self {
        let mut tidy = Self { gates: Vec::new(), outputs: self.outputs.clone(), ..*self };
        let mut truths = INPUTS.to_vec();
        let mut names = vec![None; 6 + self.gates.len()];
        for (wire, name) in names.iter_mut().enumerate().take(6) {
            *name = Some((wire, false));
        }
        for output in &mut tidy.outputs {
            for wire in &mut output.wires {
                let (name, inverted) = self.visit(*wire, &mut tidy.gates, &mut truths, &mut names);
                *wire = name;
                output.inverted ^= inverted;
            }
        }
        tidy
    }

    fn visit(
        &self,
        wire: usize,
        gates: &mut Vec<Gate>,
        truths: &mut Vec<Truth>,
        names: &mut [Option<(usize, bool)>],
    ) -> (usize, bool) {
        if let Some(name) = names[wire] {
            return name;
        }
        let mut gate = self.gates[wire - 6].clone();
        for position in 0..gate.wires.len() {
            let (name, inverted) = self.visit(gate.wires[position], gates, truths, names);
            gate.wires[position] = name;
            if inverted {
                let bit = 1 << (gate.wires.len() - 1 - position);
                gate.table = (0..1_usize << gate.wires.len())
                    .fold(0, |table, row| table | ((gate.table >> (row ^ bit)) & 1) << row);
            }
        }
        let inputs: Vec<Truth> = gate.wires.iter().map(|wire| truths[*wire]).collect();
        let truth = apply(gate.table, &inputs);
        let equal = truths.iter().position(|other| *other == truth || *other == !truth);
        let name = match equal {
            Some(position) => (position, truths[position] != truth),
            None => {
                gates.push(gate);
                truths.push(truth);
                (truths.len() - 1, false)
            }
        };
        names[wire] = Some(name);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::read;

    #[test]
    fn every_step_leaves_the_circuit_right() {
        for circuit in read(include_str!("../../../crates/tdea/data/sbox_circuits.txt")).unwrap() {
            let most = cost(&circuit) + SLACK;
            let mut walk = Walk::new(circuit, 0x5EED);
            for _ in 0..200 {
                walk.step();
                assert_eq!(walk.now.prove(), Ok(()));
                assert!(cost(&walk.now) <= most);
            }
        }
    }
}
