//! Tables that others write: Parquet reads as the CSV of the same rows, and an explorer's exports by the mapping that comes with us.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::chain::{Chain, ChainCode, Mapping, Options, Room, Source, load};
use money::columns::{Accounts, Kind, Mode};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FixedLenByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SCHEMA: &str = "message t {
    required binary from (UTF8); optional binary to (UTF8); required int64 at (TIMESTAMP(MICROS,true));
    required fixed_len_byte_array(16) amount (DECIMAL(38,9)); required binary tx; required double rough; }";

/// Three transfers: times in microseconds, an amount beyond 64 bits, a payee that is null, an amount as a float beside it.
fn written(path: &Path, compression: parquet::basic::Compression) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let options = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut file = SerializedFileWriter::new(std::fs::File::create(path).unwrap(), schema, options).unwrap();
    let mut group = file.next_row_group().unwrap();
    let text = |words: &[&str]| words.iter().map(|word| ByteArray::from(*word)).collect::<Vec<_>>();
    macro_rules! column {
        ($kind:ty, $values:expr, $levels:expr) => {{
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<$kind>().write_batch($values, $levels, None).unwrap();
            column.close().unwrap();
        }};
    }
    column!(ByteArrayType, &text(&["ana", "ben", "ana"]), None);
    column!(ByteArrayType, &text(&["ben", "cy"]), Some(&[1, 1, 0]));
    column!(Int64Type, &[86_400_000_000, 86_401_999_999, 172_800_000_000], None);
    let amounts = [5_i128, 123_456_789_012_345_678_901, 7].map(|amount| amount * 1_000_000_000);
    let amounts: Vec<_> =
        amounts.iter().map(|n| parquet::data_type::FixedLenByteArray::from(n.to_be_bytes().to_vec())).collect();
    column!(FixedLenByteArrayType, &amounts, None);
    column!(ByteArrayType, &[vec![1, 2], vec![3], vec![4]].map(ByteArray::from), None);
    column!(DoubleType, &[1.5, 2.0, 3.0], None);
    group.close().unwrap();
    file.close().unwrap();
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
    fn load(&self, name: &str, file: &Path, mapping: Mapping) -> Result<Accounts, String> {
        let room = Room::open(&self.0.path().join("money"));
        let code = ChainCode::parse(name).unwrap();
        let source = Source::Transfers { file: file.to_owned(), mapping: Box::new(mapping) };
        load(&room, &code, &source, &Options::default(), &mut |_| ControlFlow::Continue(()))
            .map_err(|error| error.to_string())?;
        let Chain::Accounts(accounts) = room.chain(&code, Mode::Read).unwrap() else { panic!("accounts") };
        Ok(accounts)
    }
}

/// Every transfer as text.
fn told(chain: &Accounts) -> Vec<String> {
    let name = |id: u32| chain.account(id).map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
    let one = |n: u64| {
        let transfer = chain.transfer(n).unwrap();
        let tx = chain.tx_of(n).unwrap();
        let id = String::from_utf8_lossy(chain.id(tx).unwrap()).into_owned();
        let asset = String::from_utf8_lossy(chain.asset(transfer.asset).unwrap()).into_owned();
        let (from, to, at) = (name(transfer.from), name(transfer.to), chain.time(tx).unwrap());
        format!("{from}>{to} {} {asset} {} {id} {at}", transfer.amount, transfer.kind.name())
    };
    (0..chain.transfers()).map(one).collect()
}

const MAPPING: &str = "from='from'\nto='to'\namount='amount'\ntime='at'\ntx='tx'\nasset_is='X'";

#[test]
fn parquet_reads_as_the_csv_of_the_same_rows_however_it_is_packed() {
    use parquet::basic::{Compression, ZstdLevel};
    let folder = Folder::new();
    let rows =
        "from,to,at,amount,tx\nana,ben,86400,5,0x0102\nben,cy,86401,123456789012345678901,0x03\nana,,172800,7,0x04\n";
    let csv = folder.file("t.csv", rows);
    let expected = told(&folder.load("csv", &csv, Mapping::parse(MAPPING).unwrap()).unwrap());
    assert_eq!(expected.len(), 3);
    assert!(expected[1].contains("123456789012345678901"));
    let kinds = [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default())];
    for (n, kind) in kinds.into_iter().chain([Compression::GZIP(Default::default())]).enumerate() {
        let path = folder.0.path().join(format!("{n}.parquet"));
        written(&path, kind);
        let read = folder.load(&format!("parquet{n}"), &path, Mapping::parse(MAPPING).unwrap()).unwrap();
        assert_eq!(told(&read), expected, "{kind:?}");
    }
}

#[test]
fn a_float_is_no_amount_and_a_damaged_file_is_an_error() {
    let folder = Folder::new();
    let path = folder.0.path().join("t.parquet");
    written(&path, parquet::basic::Compression::SNAPPY);
    let rough = Mapping::parse(&MAPPING.replace("amount='amount'", "amount='rough'")).unwrap();
    let refused = folder.load("rough", &path, rough).unwrap_err();
    assert!(refused.contains("line 2") && refused.contains("not a whole number"), "{refused}");
    let whole = std::fs::read(&path).unwrap();
    for cut in [4, 8, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert!(folder.load(&format!("cut{cut}"), &path, Mapping::parse(MAPPING).unwrap()).is_err(), "{cut}");
    }
    for at in (4..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x5a;
        std::fs::write(&path, &bytes).unwrap();
        // It may still be readable; it must not end the program.
        let _read = folder.load(&format!("flip{at}"), &path, Mapping::parse(MAPPING).unwrap());
    }
}

#[test]
fn an_explorers_exports_are_read_by_the_mapping_that_comes_with_us() {
    let folder = Folder::new();
    let coins = folder.file("coins.csv", "\"Transaction Hash\",\"Blockno\",\"UnixTimestamp\",\"DateTime (UTC)\",\"From\",\"To\",\"ContractAddress\",\"Value_IN(ETH)\",\"Value_OUT(ETH)\",\"CurrentValue @ $1/Eth\",\"TxnFee(ETH)\",\"TxnFee(USD)\",\"Historical $Price/Eth\",\"Status\",\"ErrCode\",\"Method\"\n\
        \"0xa1\",\"10\",\"1700000000\",\"2023-11-14 22:13:20\",\"0xana\",\"0xben\",\"\",\"1.5\",\"0\",\"0\",\"0.001\",\"0\",\"0\",\"\",\"\",\"Transfer\"\n\
        \"0xa2\",\"11\",\"1700000012\",\"2023-11-14 22:13:32\",\"0xben\",\"0xcy\",\"\",\"0\",\"0.000000000000000001\",\"0\",\"0.002\",\"0\",\"0\",\"\",\"\",\"Transfer\"\n\
        \"0xa3\",\"12\",\"1700000024\",\"2023-11-14 22:13:44\",\"0xben\",\"0xcy\",\"\",\"0\",\"9\",\"0\",\"0.003\",\"0\",\"0\",\"Error(0)\",\"Reverted\",\"Transfer\"\n");
    let mapping = Mapping::built_in("etherscan", &coins).unwrap().unwrap();
    let chain = folder.load("coins", &coins, mapping).unwrap();
    let moved: Vec<_> = (0..chain.transfers())
        .filter_map(|n| chain.transfer(n))
        .map(|one| (one.kind, one.amount.to_string()))
        .filter(|(_, amount)| amount != "0")
        .collect();
    let expected = [
        (Kind::Transfer, "1500000000000000000"),
        (Kind::Fee, "1000000000000000"),
        (Kind::Transfer, "1"),
        (Kind::Fee, "2000000000000000"),
        (Kind::Fee, "3000000000000000"),
    ];
    assert_eq!(moved, expected.map(|(kind, amount)| (kind, amount.to_owned())), "what failed costs its fee alone");
    let tokens = folder.file("tokens.csv", "\"Txhash\",\"UnixTimestamp\",\"DateTime (UTC)\",\"From\",\"To\",\"TokenValue\",\"USDValueDayOfTx\",\"ContractAddress\",\"TokenName\",\"TokenSymbol\"\n\
        \"0xb1\",\"1700000000\",\"2023-11-14 22:13:20\",\"0xana\",\"0xben\",\"1,234.56\",\"N/A\",\"0xtoken\",\"EXERCISE\",\"EX\"\n");
    let mapping = Mapping::built_in("etherscan", &tokens).unwrap().unwrap();
    let chain = folder.load("tokens", &tokens, mapping).unwrap();
    assert_eq!(told(&chain), ["0xana>0xben 1234560000000000000000 0xtoken transfer 0xb1 1700000000"]);
    let other = folder.file("other.csv", "a,b\n1,2\n");
    assert!(Mapping::built_in("etherscan", &other).unwrap_err().to_string().contains("none of etherscan's exports"));
    assert!(Mapping::built_in("nobody", &other).unwrap().is_none());
}
