mod harness;
mod pool;

fn main() -> std::io::Result<()> {
    harness::serve()
}
