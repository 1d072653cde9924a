//! A chain's files: whatever is cut off them, they open at a complete block; unwinding is exact; derived files never mislead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::columns::*;
use std::collections::HashMap;
use std::path::Path;

/// A seeded stream of numbers (SplitMix64).
struct Seed(u64);
impl Seed {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    fn hash(&mut self) -> [u8; 32] {
        std::array::from_fn(|_| self.next() as u8)
    }
}

fn seed() -> u64 {
    std::env::var("EYE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(41)
}

/// Makes blocks that spend each other's outputs, and sometimes outputs of nowhere.
struct World {
    seed: Seed,
    head: Head,
    unspent: Vec<(Prevout, u64, Vec<u8>)>,
}

impl World {
    fn new(seed: u64) -> World {
        let mut seed = Seed(seed);
        let hash = seed.hash();
        World { seed, head: Head { height: 99, hash, parent: [0; 32] }, unspent: Vec::new() }
    }

    fn block(&mut self) -> Block {
        let mut block = Block::default();
        let hash = self.seed.hash();
        self.head = Head { height: self.head.height + 1, hash, parent: self.head.hash };
        block.head = Some(self.head);
        (block.time, block.bits) = (self.seed.next() as u32, 7);
        for place in 0..1 + self.seed.below(6) {
            self.tx(&mut block, place == 0);
        }
        block
    }

    fn tx(&mut self, block: &mut Block, coinbase: bool) {
        let id = self.seed.hash();
        let (mut inputs, mut budget) = (0, if coinbase { 5_000_000 } else { 0 });
        for _ in 0..if coinbase { 0 } else { 1 + self.seed.below(3) } {
            if self.unspent.is_empty() || self.seed.below(5) == 0 {
                let prevout = Prevout { id: self.seed.hash(), vout: self.seed.below(9) as u32 };
                let (key, origin) = match self.seed.below(2) {
                    0 => (Span::default(), Origin::Unknown),
                    _ => (block.key(&[&[1], b"revealed"]), Origin::Revealed(Hashing::Done)),
                };
                block.inputs.push(Input { prevout, value: None, key, origin });
            } else {
                let at = self.seed.below(self.unspent.len() as u64) as usize;
                let (prevout, value, _) = self.unspent.swap_remove(at);
                budget += value;
                block.inputs.push(Input { prevout, value: Some(value), key: Span::default(), origin: Origin::Unknown });
            }
            inputs += 1;
        }
        let outputs = 1 + self.seed.below(4) as u32;
        for vout in 0..outputs {
            let value = budget / u64::from(outputs);
            let key: Vec<u8> = vec![2; 1 + self.seed.below(40) as usize];
            let span = if self.seed.below(8) == 0 { Span::default() } else { block.key(&[&key]) };
            block.outputs.push(Output { value, key: span });
            self.unspent.push((Prevout { id, vout }, value, key));
        }
        let flags = if coinbase { Flags::COINBASE } else { Flags::default() };
        block.txs.push(Tx { id, flags, weight: 4 * id[0] as u32, inputs, outputs });
    }
}

/// Checks every row of the chain against the blocks it was made of.
fn check(chain: &Utxo, blocks: &[Block]) {
    let (mut tx, mut input, mut output) = (0, 0, 0);
    let mut made: HashMap<([u8; 32], u32), (u64, u64)> = HashMap::new();
    let mut spent: HashMap<u64, u64> = HashMap::new();
    assert_eq!(chain.store().blocks(), blocks.len() as u64);
    assert_eq!(chain.head(), blocks.last().and_then(|block| block.head));
    for (place, block) in blocks.iter().enumerate() {
        assert_eq!(chain.block(place as u64), Some((block.time, block.bits)));
        let (mut ins, mut outs) = (block.inputs.iter(), block.outputs.iter());
        for expected in &block.txs {
            assert_eq!(chain.id(tx), Some(&expected.id));
            assert_eq!(chain.find_tx(&expected.id), Some(tx));
            assert_eq!(chain.block_of(tx), Some(place as u64));
            assert_eq!(chain.info(tx).unwrap().1, expected.weight);
            assert_eq!(chain.inputs_of(tx), input..input + u64::from(expected.inputs));
            assert_eq!(chain.outputs_of(tx), output..output + u64::from(expected.outputs));
            for given in ins.by_ref().take(expected.inputs as usize) {
                let kept = chain.input(input).unwrap();
                let from = made.get(&(given.prevout.id, given.prevout.vout));
                assert_eq!(kept.output, from.map(|from| from.0));
                assert_eq!(kept.value, from.map(|from| from.1));
                assert_eq!(chain.foreign(input), from.is_none().then_some(given.prevout));
                assert_eq!(
                    chain.info(tx).unwrap().0.has(Flags::PARTIAL),
                    chain.inputs_of(tx).any(|i| chain.input(i).unwrap().value.is_none())
                );
                if from.is_none() && given.key != Span::default() {
                    assert_eq!(chain.address_key(kept.address), Some(block.bytes(given.key)));
                }
                if let Some(from) = from {
                    spent.insert(from.0, input);
                }
                assert_eq!(chain.tx_of_input(input), Some(tx));
                input += 1;
            }
            for (vout, given) in outs.by_ref().take(expected.outputs as usize).enumerate() {
                let (address, value) = chain.output(output).unwrap();
                assert_eq!(value, given.value);
                match block.bytes(given.key) {
                    [] => assert_eq!(address, NOBODY),
                    key => {
                        assert_eq!(chain.address_key(address), Some(key));
                        assert_eq!(chain.find_address(key), Some(address));
                    }
                }
                made.insert((expected.id, vout as u32), (output, value));
                assert_eq!(chain.tx_of_output(output), Some(tx));
                output += 1;
            }
            tx += 1;
        }
    }
    assert_eq!((chain.txs(), chain.inputs(), chain.outputs()), (tx, input, output));
    (0..output).for_each(|output| assert_eq!(chain.spent_by(output), spent.get(&output).copied()));
    assert_eq!(chain.store().verify().unwrap(), blocks.len() as u64);
}

/// Opens with dictionaries that become runs after a handful of entries, as they do after a million otherwise.
fn open(dir: &Path, mode: Mode) -> Result<Utxo> {
    Utxo::over(Store::open(dir, &UTXO, mode)?.with_fresh(20))
}

/// Appends the blocks and commits every `every`.
fn build(dir: &Path, blocks: &[Block], every: usize) {
    let mut chain = open(dir, Mode::Write).unwrap();
    for (i, block) in blocks.iter().enumerate() {
        chain.append(block).unwrap();
        if i % every == every - 1 {
            chain.commit(true).unwrap();
        }
    }
    chain.commit(true).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn what_was_committed_is_read_back_by_writer_and_reader() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::new(seed());
    let blocks: Vec<_> = (0..60).map(|_| world.block()).collect();
    build(dir.path(), &blocks, 7);
    check(&Utxo::open(dir.path(), Mode::Read).unwrap(), &blocks);
    check(&Utxo::open(dir.path(), Mode::Write).unwrap(), &blocks);
}

#[test]
fn files_cut_anywhere_open_at_a_complete_block_and_go_on_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::new(seed());
    let blocks: Vec<_> = (0..12).map(|_| world.block()).collect();
    let whole = dir.path().join("whole");
    build(&whole, &blocks, 5);
    let mut files: Vec<_> = std::fs::read_dir(&whole).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.ends_with("meta") && !path.ends_with("lock"));
    files.sort();
    let mut seed = Seed(seed() ^ 7);
    for round in 0..100 {
        let cut = dir.path().join("cut");
        copy(&whole, &cut);
        let file = &files[seed.below(files.len() as u64) as usize];
        let at = seed.below(file.metadata().unwrap().len().max(1));
        std::fs::File::options().write(true).open(cut.join(file.file_name().unwrap())).unwrap().set_len(at).unwrap();
        let note = format!("round {round}: {} cut at {at}", file.display());
        let derived = file.extension().is_none_or(|ext| ext != "col") && !file.ends_with("commits");
        let reader = open(&cut, Mode::Read).expect(&note).store().blocks();
        let mut chain = open(&cut, Mode::Write).expect(&note);
        let opened = chain.store().blocks() as usize;
        assert_eq!(reader as usize, opened, "{note}");
        assert!(!derived || opened == blocks.len(), "{note}: {opened} blocks");
        check(&chain, &blocks[..opened]);
        // The same blocks again, or one of another branch: then nothing of the others may come back.
        let mut after = blocks[..opened].to_vec();
        if round % 2 == 0 {
            after.extend_from_slice(&blocks[opened..]);
        } else {
            let mut other = World::new(1_000_000 + round);
            other.head = chain.head().unwrap_or(other.head);
            after.push(other.block());
        }
        for block in &after[opened..] {
            chain.append(block).expect(&note);
        }
        chain.commit(true).unwrap();
        check(&chain, &after);
        drop(chain);
        check(&open(&cut, Mode::Read).unwrap(), &after);
        std::fs::remove_dir_all(&cut).unwrap();
    }
}

#[test]
fn what_a_crash_leaves_behind_the_head_is_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::new(seed());
    let blocks: Vec<_> = (0..10).map(|_| world.block()).collect();
    build(dir.path(), &blocks[..6], 4);
    let mut seed = Seed(seed() ^ 9);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let behind: Vec<u8> = (0..seed.below(900)).map(|_| seed.next() as u8).collect();
        if path.extension().is_some_and(|ext| ext == "col" || ext == "spent") || path.ends_with("commits") {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.extend(behind);
            std::fs::write(&path, bytes).unwrap();
        }
    }
    check(&Utxo::open(dir.path(), Mode::Read).unwrap(), &blocks[..6]);
    let mut chain = open(dir.path(), Mode::Write).unwrap();
    check(&chain, &blocks[..6]);
    blocks[6..].iter().for_each(|block| chain.append(block).unwrap());
    chain.commit(true).unwrap();
    check(&chain, &blocks);
    drop(chain);
    check(&Utxo::open(dir.path(), Mode::Read).unwrap(), &blocks);
}

/// The writer that is killed: this very test, run again with a folder in its environment.
fn write_until_killed(dir: &Path, blocks: &[Block]) {
    let mut chain = open(dir, Mode::Write).unwrap();
    let have = chain.store().blocks() as usize;
    for (i, block) in blocks.iter().enumerate().skip(have) {
        chain.append(block).unwrap();
        if i % 3 == 2 {
            chain.commit(true).unwrap();
            println!("\ncommitted {}", i + 1);
        }
        // Now and then a little is taken back and done again.
        if i % 20 == 19 {
            let head = chain.unwind(blocks[i - 4].head.unwrap().height).unwrap();
            assert_eq!(Some(head), blocks[i - 4].head);
            blocks[i - 3..=i].iter().for_each(|block| chain.append(block).unwrap());
        }
    }
}

#[test]
fn what_a_killed_writer_had_committed_is_there_and_it_goes_on() {
    let mut world = World::new(seed());
    let blocks: Vec<_> = (0..150).map(|_| world.block()).collect();
    if let Some(dir) = std::env::var_os("MONEY_WRITER") {
        return write_until_killed(Path::new(&dir), &blocks);
    }
    let dir = tempfile::tempdir().unwrap();
    let mut seed = Seed(seed() ^ 11);
    let (mut said, mut opened) = (0, 0);
    for _ in 0..12 {
        let mut writer = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_a_killed_writer_had_committed_is_there_and_it_goes_on", "--nocapture"])
            .env("MONEY_WRITER", dir.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(writer.stdout.take().unwrap()));
        let committed =
            lines.map_while(|line| line.ok()).filter_map(|line| line.strip_prefix("committed ")?.parse().ok());
        said = committed.take(1 + seed.below(6) as usize).last().unwrap_or(said);
        writer.kill().unwrap();
        writer.wait().unwrap();
        let chain = open(dir.path(), Mode::Read).unwrap();
        opened = chain.store().blocks() as usize;
        // Up to five of them may just have been taken back, to be done again.
        assert!(opened + 5 >= said && opened >= 3, "{said} blocks were committed, {opened} are there");
        check(&chain, &blocks[..opened]);
    }
    assert!(opened > 20, "{opened}");
}

#[test]
fn derived_files_of_another_chain_are_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
    let mut worlds = [World::new(seed()), World::new(seed() + 1)];
    let [blocks, others] = worlds.each_mut().map(|world| (0..15).map(|_| world.block()).collect::<Vec<_>>());
    build(&ours, &blocks, 4);
    build(&theirs, &others, 4);
    for entry in std::fs::read_dir(&theirs).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if ["dict", "run", "head", "spent"].iter().any(|end| name.ends_with(end)) {
            std::fs::copy(theirs.join(&name), ours.join(&name)).unwrap();
        }
    }
    check(&open(&ours, Mode::Read).unwrap(), &blocks);
    check(&open(&ours, Mode::Write).unwrap(), &blocks);
    check(&open(&ours, Mode::Read).unwrap(), &blocks);
}

#[test]
fn of_two_transactions_with_one_id_the_newer_is_spent() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = open(dir.path(), Mode::Write).unwrap();
    let coinbase = |height: u8, parent: u8, value: u64| {
        let mut block = Block {
            head: Some(Head { height: height.into(), hash: [height; 32], parent: [parent; 32] }),
            ..Block::default()
        };
        let key = block.key(&[b"miner"]);
        block.outputs.push(Output { value, key });
        block.txs.push(Tx { id: [7; 32], flags: Flags::COINBASE, weight: 4, inputs: 0, outputs: 1 });
        block
    };
    chain.append(&coinbase(1, 0, 50)).unwrap();
    chain.append(&coinbase(2, 1, 60)).unwrap();
    let mut spend = coinbase(3, 2, 70);
    spend.txs[0].id = [8; 32];
    let prevout = Prevout { id: [7; 32], vout: 0 };
    spend.inputs.push(Input { prevout, value: None, key: Span::default(), origin: Origin::Unknown });
    spend.txs.push(Tx { id: [9; 32], flags: Flags::default(), weight: 4, inputs: 1, outputs: 0 });
    chain.append(&spend).unwrap();
    assert_eq!(chain.find_tx(&[7; 32]), Some(1));
    assert_eq!((chain.spent_by(0), chain.spent_by(1)), (None, Some(0)));
    let mut greedy = coinbase(4, 3, 0);
    greedy.txs[0].id = [10; 32];
    let prevout = Prevout { id: [8; 32], vout: 0 };
    greedy.inputs.push(Input { prevout, value: None, key: Span::default(), origin: Origin::Unknown });
    greedy.outputs.push(Output { value: 71, key: Span::default() });
    greedy.txs.push(Tx { id: [11; 32], flags: Flags::default(), weight: 4, inputs: 1, outputs: 1 });
    let error = chain.append(&greedy).unwrap_err().to_string();
    assert!(error.contains("transaction 1 of block 4: pays out 71 but spends only 70"), "{error}");
}

#[test]
fn a_flipped_bit_in_the_last_block_drops_it_and_one_further_back_is_found_by_verify() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::new(seed());
    let blocks: Vec<_> = (0..9).map(|_| world.block()).collect();
    build(dir.path(), &blocks, 4);
    let flip = |at: fn(u64) -> u64| {
        let path = dir.path().join("out.value.col");
        let mut bytes = std::fs::read(&path).unwrap();
        let place = at(bytes.len() as u64) as usize;
        bytes[place] ^= 4;
        std::fs::write(&path, bytes).unwrap();
    };
    flip(|_| 0);
    let error = Utxo::open(dir.path(), Mode::Read).unwrap().store().verify().unwrap_err().to_string();
    assert!(error.contains("block 100 "), "{error}");
    flip(|_| 0);
    flip(|len| len - 1);
    check(&Utxo::open(dir.path(), Mode::Read).unwrap(), &blocks[..8]);
}

#[test]
fn unwinding_is_exact_and_another_branch_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::new(seed());
    let mut blocks: Vec<_> = (0..20).map(|_| world.block()).collect();
    build(dir.path(), &blocks, 6);
    let reader = Utxo::open(dir.path(), Mode::Read).unwrap();
    let mut chain = open(dir.path(), Mode::Write).unwrap();
    for (round, to) in [15, 3, 11, 0].into_iter().enumerate() {
        let head = chain.unwind(100 + to).unwrap();
        assert_eq!(Some(head), blocks[to as usize].head);
        blocks.truncate(to as usize + 1);
        check(&chain, &blocks);
        let mut other = World::new(seed() + 100 + round as u64);
        other.head = head;
        while blocks.len() < 18 {
            blocks.push(other.block());
            chain.append(blocks.last().unwrap()).unwrap();
        }
        chain.commit(true).unwrap();
        check(&chain, &blocks);
    }
    drop(chain);
    check(&Utxo::open(dir.path(), Mode::Read).unwrap(), &blocks);
    assert!(reader.store().outdated().unwrap(), "a reader from before the unwinding must be told");
}

#[test]
fn a_block_that_does_not_follow_or_contradicts_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::new(seed());
    let blocks: Vec<_> = (0..5).map(|_| world.block()).collect();
    build(dir.path(), &blocks, 2);
    let mut chain = open(dir.path(), Mode::Write).unwrap();
    let fork = World::new(5).block();
    let both = chain.append(&fork).unwrap_err().to_string();
    let hex = |hash: [u8; 32]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(
        both.contains(&hex(fork.head.unwrap().hash)) && both.contains(&hex(blocks[4].head.unwrap().hash)),
        "{both}"
    );
    let mut twice = world.block();
    let spent = blocks.iter().flat_map(|block| &block.inputs).find(|input| input.value.is_some()).unwrap().clone();
    twice.inputs.push(spent);
    twice.txs.push(Tx { id: [9; 32], flags: Flags::default(), weight: 4, inputs: 1, outputs: 0 });
    let error = chain.append(&twice).unwrap_err().to_string();
    assert!(error.contains("is spent already") && error.contains("block 105"), "{error}");
    check(&chain, &blocks);
    chain
        .append(&{
            twice.txs.pop();
            twice.inputs.pop();
            twice
        })
        .unwrap();
}

#[test]
fn one_writer_at_a_time_and_readers_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::new(seed());
    build(dir.path(), &[world.block()], 1);
    let writer = Utxo::open(dir.path(), Mode::Write).unwrap();
    assert!(
        matches!(Utxo::open(dir.path(), Mode::Write), Err(Error::Busy { pid: Some(pid), .. }) if pid == std::process::id())
    );
    let mut reader = Utxo::open(dir.path(), Mode::Read).unwrap();
    assert!(reader.append(&world.block()).and_then(|()| reader.commit(true)).is_err());
    drop(writer);
    Utxo::open(dir.path(), Mode::Write).unwrap();
}

#[test]
fn a_folder_of_another_version_or_kind_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path(), &[World::new(seed()).block()], 1);
    assert!(Accounts::open(dir.path(), Mode::Read).unwrap_err().to_string().contains("another kind of chain"));
    let meta = dir.path().join("meta");
    let mut bytes = std::fs::read(&meta).unwrap();
    bytes[8] = 2;
    let len = bytes.len();
    let crc = crc32fast::hash(&bytes[..len - 4]).to_le_bytes();
    bytes[len - 4..].copy_from_slice(&crc);
    std::fs::write(&meta, bytes).unwrap();
    assert!(Utxo::open(dir.path(), Mode::Read).unwrap_err().to_string().contains("version 2"));
}
