//! `pool-harness/1`: JSON Lines over stdin and stdout, for an implementation in f64 and f32.
//!
//! `pool.rs` has what it says of itself, `announcement()`, and what it computes:
//!
//!     answer(pool, x, alpha, dy) -> (y, dx, dalpha)
//!
//! x, dy, y, dx: `[N, ...U]`, flat and row-major; alpha, dalpha: `[rows, positions]`. Of op `forward` dy is zeros and only
//! y is sent.

use num_traits::Float;
use serde_json::{json, Value};
use std::io::{self, BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};

const BRANCHES: [&str; 8] = ["relu", "step", "halfSquare", "negative", "identity", "tanh", "sigmoid", "softplus"];
const LARGEST: u64 = 1 << 31;

pub enum Constraint<T> {
    /// And fixed.
    Free,
    SumToOne,
    /// One bound for each branch.
    Clip(Vec<T>),
}

pub struct Pool<T> {
    pub branches: Vec<String>,
    pub constraint: Constraint<T>,
    /// |S|: alpha is `[rows, positions]`.
    pub positions: usize,
    /// For each unit the position that it uses.
    position_of: Vec<usize>,
}

impl<T: Float> Pool<T> {
    /// The position in S of an element of x.
    pub fn position(&self, at: usize) -> usize {
        self.position_of[at % self.position_of.len()]
    }

    /// `c = κ(alpha)`: `[n, positions]`.
    pub fn coefficients(&self, alpha: &[T]) -> Vec<T> {
        let mut c = alpha.to_vec();
        match &self.constraint {
            Constraint::Free => {}
            Constraint::SumToOne => {
                let rest = |s| (s..alpha.len()).step_by(self.positions).fold(T::one(), |rest, i| rest - alpha[i]);
                c.extend((0..self.positions).map(rest));
            }
            Constraint::Clip(bounds) => {
                for (i, value) in c.iter_mut().enumerate() {
                    let bound = bounds[i / self.positions];
                    if value.abs() > bound {
                        *value = bound.copysign(*value);
                    }
                }
            }
        }
        c
    }

    /// `dalpha = κ′ᵀ dc`; a bound of clip belongs to the inside.
    pub fn pull_back(&self, alpha: &[T], dc: &[T]) -> Vec<T> {
        let row = |i: usize| match &self.constraint {
            Constraint::Free => dc[i],
            Constraint::SumToOne => dc[i] - dc[alpha.len() + i % self.positions],
            Constraint::Clip(bounds) if alpha[i].abs() > bounds[i / self.positions] => T::zero(),
            Constraint::Clip(_) => dc[i],
        };
        (0..alpha.len()).map(row).collect()
    }
}

/// What the wire carries, as bits.
pub trait Element: Float {
    const DTYPE: &'static str;
    const BYTES: usize;
    fn from_bits(bits: u64) -> Self;
    fn bits(self) -> u64;
}

impl Element for f64 {
    const DTYPE: &'static str = "f64";
    const BYTES: usize = 8;
    fn from_bits(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

impl Element for f32 {
    const DTYPE: &'static str = "f32";
    const BYTES: usize = 4;
    fn from_bits(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
    fn bits(self) -> u64 {
        self.to_bits() as u64
    }
}

/// Why there is no answer, in the word of the protocol.
enum No {
    Refused(String),
    Unsupported(String),
    /// What broke.
    Error(String),
}
use No::*;

type Answer = Result<Value, No>;

/// Speaks until `stop` or the end of input.
pub fn serve() -> io::Result<()> {
    let (mut input, mut output) = (io::BufReader::with_capacity(1 << 16, io::stdin()), io::stdout().lock());
    let mut replies = Vec::new();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if !line.trim_ascii().is_empty() {
            let request: Value = serde_json::from_slice(&line).unwrap_or_else(|error| json!(error.to_string()));
            if request["cmd"] == "stop" {
                break;
            }
            let mut reply = match answer(&request) {
                Ok(value) => value,
                Err(Refused(why)) => json!({ "refused": why }),
                Err(Unsupported(what)) => json!({ "unsupported": what }),
                Err(Error(what)) => json!({ "error": what }),
            };
            reply["id"] = request["id"].clone();
            serde_json::to_writer(&mut replies, &reply)?;
            replies.push(b'\n');
        }
        line.clear();
        // What waits in the buffer may be half a line, whose other half waits for no reply.
        if !input.buffer().contains(&b'\n') {
            output.write_all(&replies)?;
            output.flush()?;
            replies.clear();
        }
    }
    output.write_all(&replies)?;
    output.flush()
}

fn answer(request: &Value) -> Answer {
    match among("cmd", &request["cmd"], &["start", "run", "stop"])? {
        "start" => {
            among("protocol", &request["protocol"], &["pool-harness/1"])?;
            let mut ok = crate::pool::announcement();
            ok["capabilities"]["encodings"] = json!(["hex"]);
            ok["capabilities"]["pipeline"] = json!(16);
            Ok(json!({ "ok": ok }))
        }
        _ => match among("dtype", &request["dtype"], &["f64", "f32", "f16", "bf16"])? {
            "f64" => run::<f64>(request),
            "f32" => run::<f32>(request),
            other => Err(Unsupported(format!("dtype:{other}"))),
        },
    }
}

fn run<T: Element>(request: &Value) -> Answer {
    let op = among("op", &request["op"], &["forward", "vjp"])?;
    let (pool, inputs) = (object("pool", &request["pool"])?, object("inputs", &request["inputs"])?);
    let (x, shape) = decode::<T>("x", &inputs["x"], None)?;
    let branches = array("pool.branches", &pool["branches"])?;
    if branches.is_empty() {
        return refused("pool.branches", "at least one branch", &pool["branches"]);
    }
    let branches: Result<Vec<String>, No> =
        branches.iter().map(|name| Ok(among("pool.branches", name, &BRANCHES)?.to_string())).collect();
    let branches = branches?;
    let (own, positions, position_of) = layout(&pool["sharing"], &shape)?;
    let given = object("pool.constraint", &pool["constraint"])?;
    let kinds = ["free", "fixed", "sumToOne", "clip", "softmax"];
    let (rows, constraint) = match among("pool.constraint.kind", &given["kind"], &kinds)? {
        "free" | "fixed" => (branches.len(), Constraint::Free),
        "sumToOne" => (branches.len() - 1, Constraint::SumToOne),
        "clip" => {
            let given = &given["bounds"];
            let (bounds, _) = decode::<T>("bounds", given, Some(&[branches.len() as u64]))?;
            if !bounds.iter().all(|&bound| bound >= T::zero()) {
                return refused("bounds", "numbers from 0", given);
            }
            (branches.len(), Constraint::Clip(bounds))
        }
        other => return Err(Unsupported(format!("constraint:{other}"))),
    };
    let alpha_shape = [&[rows as u64], &own[..]].concat();
    let (alpha, _) = decode::<T>("alpha", &inputs["alpha"], Some(&alpha_shape))?;
    let dy = if op == "vjp" { decode::<T>("dy", &inputs["dy"], Some(&shape))?.0 } else { vec![T::zero(); x.len()] };
    check_announced(request)?;
    let pool = Pool { branches, constraint, positions, position_of };
    let answer = catch_unwind(AssertUnwindSafe(|| crate::pool::answer(&pool, &x, &alpha, &dy)));
    let (y, dx, dalpha) = answer.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
        Error(text.or(panic.downcast_ref::<String>().cloned()).unwrap_or("a panic".to_string()))
    })?;
    if op == "forward" {
        return Ok(json!({ "outputs": { "y": encode("y", &y, &shape)? } }));
    }
    Ok(json!({ "outputs": { "dx": encode("dx", &dx, &shape)?, "dalpha": encode("dalpha", &dalpha, &alpha_shape)? } }))
}

/// Whether all that a valid request needs was announced.
fn check_announced(request: &Value) -> Result<(), No> {
    let able = &crate::pool::announcement()["capabilities"];
    let (pool, shared_axes) = (&request["pool"], json!("sharedAxes"));
    let sharing = if pool["sharing"].is_string() { &pool["sharing"] } else { &shared_axes };
    let mut needs = vec![("op", "ops", &request["op"]), ("dtype", "dtypes", &request["dtype"])];
    needs.extend(pool["branches"].as_array().into_iter().flatten().map(|branch| ("branch", "branches", branch)));
    needs.extend([("sharing", "sharing", sharing), ("constraint", "constraints", &pool["constraint"]["kind"])]);
    for (word, list, needed) in needs {
        if !able[list].as_array().is_some_and(|list| list.contains(needed)) {
            return Err(Unsupported(format!("{word}:{}", needed.as_str().unwrap_or_default())));
        }
    }
    Ok(())
}

/// S as the wire has it, |S|, and for each unit the position in S that it uses.
fn layout(sharing: &Value, shape: &[u64]) -> Result<(Vec<u64>, usize, Vec<usize>), No> {
    let rank = shape.len();
    if rank == 0 {
        return refused("x", "rank 1 or more", &json!(shape));
    }
    let is_shared: Vec<bool> = match sharing {
        Value::String(name) if name == "layer" => vec![true; rank],
        Value::String(name) if name == "unit" => vec![false; rank],
        Value::String(name) if name == "channel" => {
            if rank < 2 {
                return refused("x", "rank 2 or more for the sharing channel", &json!(shape));
            }
            (0..rank).map(|axis| axis < rank - 1).collect()
        }
        Value::Object(one) if one.len() == 1 && one.contains_key("sharedAxes") => {
            let mut is_shared = vec![false; rank];
            for axis in array("sharedAxes", &sharing["sharedAxes"])? {
                match axis.as_u64() {
                    Some(at) if at >= 1 && at < rank as u64 && !is_shared[at as usize] => is_shared[at as usize] = true,
                    _ => {
                        return refused(
                            "sharedAxes",
                            &format!("different axes from 1 to {}", rank - 1),
                            &sharing["sharedAxes"],
                        )
                    }
                }
            }
            is_shared
        }
        _ => return refused("pool.sharing", "layer, channel, unit or an object of sharedAxes", sharing),
    };
    let kept: Vec<u64> = (1..rank).map(|axis| if is_shared[axis] { 1 } else { shape[axis] }).collect();
    // An empty x uses no position, however many units its shape names.
    let units = if shape[0] == 0 { 0 } else { shape[1..].iter().product() };
    let position_of = (0..units).map(|unit| {
        let (mut rest, mut stride, mut position) = (unit, 1, 0);
        for axis in (1..rank).rev() {
            if !is_shared[axis] {
                position += rest % shape[axis] * stride;
                stride *= shape[axis];
            }
            rest /= shape[axis];
        }
        position as usize
    });
    let own = match sharing.as_str() {
        Some("layer") => vec![],
        Some("channel") => kept[rank - 2..].to_vec(),
        _ => kept.clone(),
    };
    Ok((own, kept.iter().product::<u64>() as usize, position_of.collect()))
}

fn decode<T: Element>(name: &str, tensor: &Value, expected: Option<&[u64]>) -> Result<(Vec<T>, Vec<u64>), No> {
    object(name, tensor)?;
    among(&format!("{name}.dtype"), &tensor["dtype"], &[T::DTYPE])?;
    let whole: Option<Vec<u64>> =
        array(&format!("{name}.shape"), &tensor["shape"])?.iter().map(Value::as_u64).collect();
    let size = |shape: &[u64]| shape.iter().try_fold(1u64, |size, &n| size.checked_mul(n.max(1)));
    let shape = match whole {
        Some(shape) if size(&shape).is_some_and(|size| size < LARGEST) => shape,
        _ => return refused(&format!("{name}.shape"), "integers from 0 with a product below 2^31", &tensor["shape"]),
    };
    if let Some(wanted) = expected.filter(|wanted| *wanted != shape) {
        return refused(name, &format!("shape {wanted:?}"), &tensor["shape"]);
    }
    if tensor.get("base64").is_some() && tensor.get("hex").is_none() {
        return Err(Unsupported("encoding:base64".to_string()));
    }
    let digits = shape.iter().product::<u64>() as usize * 2 * T::BYTES;
    let hex = match tensor["hex"].as_str() {
        Some(hex) if hex.len() == digits && hex.bytes().all(|digit| digit.is_ascii_hexdigit()) => hex,
        _ => return refused(&format!("{name}.hex"), &format!("{digits} hex digits"), &tensor["hex"]),
    };
    let values =
        (0..digits).step_by(2 * T::BYTES).map(|at| u64::from_str_radix(&hex[at..at + 2 * T::BYTES], 16).unwrap());
    Ok((values.map(T::from_bits).collect(), shape))
}

fn encode<T: Element>(name: &str, values: &[T], shape: &[u64]) -> Answer {
    if values.len() as u64 != shape.iter().product::<u64>() {
        return Err(Error(format!("\"{name}\" expected shape {shape:?}, got {} elements", values.len())));
    }
    let width = 2 * T::BYTES;
    let hex: String = values.iter().map(|value| format!("{:0width$x}", value.bits())).collect();
    Ok(json!({ "dtype": T::DTYPE, "shape": shape, "hex": hex }))
}

fn object<'a>(name: &str, value: &'a Value) -> Result<&'a Value, No> {
    if value.is_object() {
        Ok(value)
    } else {
        refused(name, "an object", value)
    }
}

fn array<'a>(name: &str, value: &'a Value) -> Result<&'a Vec<Value>, No> {
    value.as_array().map_or_else(|| refused(name, "an array", value), Ok)
}

fn among<'a>(name: &str, value: &'a Value, known: &[&str]) -> Result<&'a str, No> {
    match value.as_str() {
        Some(text) if known.contains(&text) => Ok(text),
        _ => refused(name, &known.join(", "), value),
    }
}

fn refused<A>(name: &str, expected: &str, got: &Value) -> Result<A, No> {
    let text: String = got.to_string().chars().take(80).collect();
    Err(Refused(format!("\"{name}\" expected {expected}, got {text}")))
}
