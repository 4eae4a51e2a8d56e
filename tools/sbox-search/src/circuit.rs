//! Circuits: their text form and their proof.

use crate::sbox::{self, INPUTS, Truth};

/// Which gates a circuit is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// Gates of two inputs.
    Plain,
    /// Gates of three inputs.
    Lut3,
    /// Gates of three inputs; an output may be the XOR of two wires.
    Lut3Pair,
}

impl Family {
    /// All families, in the order of the generated code.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Lut3, Self::Lut3Pair];

    /// The name in the data file and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Lut3 => "lut3",
            Self::Lut3Pair => "lut3-pair",
        }
    }

    /// The family of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

/// A gate of two or three inputs; it drives the wire 6 + its index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gate {
    /// Bit `i` is the output for the inputs that, read as a binary number, the first most significant, give `i`.
    pub table: u8,
    /// Wires that the gate reads.
    pub wires: Vec<usize>,
}

/// An output: the XOR of its wires, inverted if it says so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Output {
    /// One wire or two.
    pub wires: Vec<usize>,
    /// Whether the XOR is inverted.
    pub inverted: bool,
}

/// A circuit for one box.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Circuit {
    /// What it is made of.
    pub family: Family,
    /// Number of the box, 1 to 8.
    pub number: usize,
    /// Gates in an order in which every wire is driven before it is read.
    pub gates: Vec<Gate>,
    /// The four output bits, the most significant first.
    pub outputs: Vec<Output>,
}

impl Circuit {
    /// What every wire carries.
    ///
    /// # Panics
    /// Panics if a gate reads a wire that is not driven yet.
    #[must_use]
    pub fn wires(&self) -> Vec<Truth> {
        let mut wires = INPUTS.to_vec();
        for gate in &self.gates {
            let inputs: Vec<Truth> = gate.wires.iter().map(|wire| wires[*wire]).collect();
            wires.push(apply(gate.table, &inputs));
        }
        wires
    }

    /// How many gates the longest way from an input to an output has.
    #[must_use]
    pub fn depth(&self) -> usize {
        let mut depths = vec![0; INPUTS.len()];
        for gate in &self.gates {
            depths.push(1 + gate.wires.iter().map(|wire| depths[*wire]).max().unwrap_or(0));
        }
        depths.into_iter().max().unwrap_or(0)
    }

    /// Proves over all 64 inputs that the circuit is the box, and that it keeps to its family.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn prove(&self) -> Result<(), String> {
        let (inputs, most) = match self.family {
            Family::Plain => (2, 1),
            Family::Lut3 => (3, 1),
            Family::Lut3Pair => (3, 2),
        };
        for (index, gate) in self.gates.iter().enumerate() {
            if gate.wires.len() != inputs || gate.wires.iter().any(|wire| *wire >= 6 + index) {
                return Err(format!("S{} {}: gate {index} is malformed", self.number, self.family.name()));
            }
        }
        let wires = self.wires();
        let wanted = sbox::outputs(self.number);
        if self.outputs.len() != wanted.len() {
            return Err(format!("S{} {}: four outputs are needed", self.number, self.family.name()));
        }
        for (bit, (output, wanted)) in self.outputs.iter().zip(wanted).enumerate() {
            if output.wires.is_empty() || output.wires.len() > most {
                return Err(format!("S{} {}: output {bit} is malformed", self.number, self.family.name()));
            }
            let found = output.wires.iter().fold(0, |sum, wire| sum ^ wires[*wire]);
            if found ^ (if output.inverted { !0 } else { 0 }) != wanted {
                return Err(format!("S{} {}: output {bit} is wrong", self.number, self.family.name()));
            }
        }
        Ok(())
    }

    /// The circuit as it stands in the data file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("circuit {} {}\n", self.family.name(), self.number);
        let digits = if self.family == Family::Plain { 1 } else { 2 };
        for gate in &self.gates {
            text += &format!("{:0digits$x} {}\n", gate.table, list(&gate.wires));
        }
        for output in &self.outputs {
            text += &format!("out {}{}\n", if output.inverted { "not " } else { "" }, list(&output.wires));
        }
        text
    }
}

/// The output of a gate for all 64 inputs at once.
#[must_use]
pub fn apply(table: u8, inputs: &[Truth]) -> Truth {
    (0..1_usize << inputs.len()).filter(|row| (table >> row) & 1 == 1).fold(0, |sum, row| {
        sum | inputs.iter().enumerate().fold(!0, |product, (index, input)| {
            let positive = (row >> (inputs.len() - 1 - index)) & 1 == 1;
            product & if positive { *input } else { !input }
        })
    })
}

/// Reads a data file.
///
/// # Errors
/// Names the line that can't be read.
pub fn read(text: &str) -> Result<Vec<Circuit>, String> {
    let mut circuits: Vec<Circuit> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        read_line(&words, &mut circuits).ok_or_else(|| format!("line {}: {line}", number + 1))?;
    }
    Ok(circuits)
}

fn read_line(words: &[&str], circuits: &mut Vec<Circuit>) -> Option<()> {
    match words {
        [] => {}
        [first, ..] if first.starts_with('#') => {}
        ["circuit", family, number] => circuits.push(Circuit {
            family: Family::named(family)?,
            number: number.parse().ok()?,
            gates: Vec::new(),
            outputs: Vec::new(),
        }),
        ["out", "not", wires @ ..] => {
            circuits.last_mut()?.outputs.push(Output { wires: numbers(wires)?, inverted: true });
        }
        ["out", wires @ ..] => {
            circuits.last_mut()?.outputs.push(Output { wires: numbers(wires)?, inverted: false });
        }
        [table, wires @ ..] => {
            let table = u8::from_str_radix(table, 16).ok()?;
            circuits.last_mut()?.gates.push(Gate { table, wires: numbers(wires)? });
        }
    }
    Some(())
}

fn numbers(words: &[&str]) -> Option<Vec<usize>> {
    words.iter().map(|word| word.parse().ok()).collect()
}

fn list(wires: &[usize]) -> String {
    wires.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")
}
