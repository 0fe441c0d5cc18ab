//! A demo.

use labs_mini::Shelf;

fn main() {
    let mut shelf = Shelf::new(2);
    for thing in ["cup", "pot", "tin"] {
        println!("{thing}: {:?}", shelf.put(thing));
    }
}
