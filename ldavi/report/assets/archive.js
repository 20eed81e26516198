// All documents in compressed form: decompressed after the page is displayed, for the search and the document map.
let archive = null;
let archiveProblem = data.archive ? '' : 'This page contains no other documents.';

async function decompressed(packed) {
  const text = atob(packed);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function sectionsOf(raw) {
  const end = raw.length - 4;
  const size = new DataView(raw.buffer, raw.byteOffset + end).getUint32(0, true);
  const table = JSON.parse(new TextDecoder().decode(raw.subarray(end - size, end)));
  const sections = {};
  let at = 0;
  for (const [name, length] of table) {
    sections[name] = raw.subarray(at, at + length);
    at += length;
  }
  return sections;
}

// Integers with 7 bits in each byte, the lowest first; the highest bit of a byte says that another follows.
function integers(bytes) {
  const values = [];
  let value = 0;
  let factor = 1;
  for (const byte of bytes) {
    value += (byte & 127) * factor;
    if (byte & 128) {
      factor *= 128;
    } else {
      values.push(value);
      value = 0;
      factor = 1;
    }
  }
  return values;
}

function starts(lengths) {
  const at = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, i) => { at[i + 1] = at[i] + length; });
  return at;
}

const strings = (bytes) => (bytes ? new TextDecoder().decode(bytes).split('\0') : null);

function unpack(sections) {
  const rows = Uint32Array.from(integers(sections.rows));
  for (let i = 1; i < rows.length; i += 1) rows[i] += rows[i - 1];
  const at = starts(integers(sections.lengths));
  const words = Uint32Array.from(integers(sections.words));
  for (let d = 0; d < rows.length; d += 1) for (let i = at[d] + 1; i < at[d + 1]; i += 1) words[i] += words[i - 1];
  const vocabulary = strings(sections.vocabulary);
  const places = new DataView(sections.places.buffer, sections.places.byteOffset);
  return {
    rows, at, words, vocabulary, counts: sections.counts, tokens: integers(sections.tokens),
    x: Float32Array.from(rows, (_, d) => places.getUint16(4 * d, true) / 65535), y: Float32Array.from(rows, (_, d) => places.getUint16(4 * d + 2, true) / 65535),
    topicAt: starts([...sections['topic numbers']]), topics: integers(sections.topics), shares: sections.shares,
    wordTopicAt: starts([...sections['word topic numbers']]), wordTopics: integers(sections['word topics']), wordShares: sections['word shares'],
    lower: vocabulary.map((word) => word.toLowerCase()),
    texts: strings(sections.texts), names: strings(sections.names), metadata: data.columns.map((_, c) => strings(sections[`metadata ${c}`])),
    place: new Map(Array.from(rows, (row, d) => [row, d])),
  };
}

let loading = null;

function loadArchive() {
  if (!data.archive) return Promise.resolve(null);
  loading ||= decompressed($('packed').textContent).then((raw) => {
    archive = unpack(sectionsOf(raw));
    return archive;
  }).catch((error) => {
    archiveProblem = `This browser cannot decompress the other documents (${error.message}).`;
    return null;
  });
  return loading;
}

function archivedName(d) {
  return archive.names ? archive.names[d] : `Document ${archive.rows[d]}`;
}

function archivedTopics(d) {
  return range(archive.topicAt[d + 1] - archive.topicAt[d]).map((i) => [archive.topics[archive.topicAt[d] + i], archive.shares[archive.topicAt[d] + i] / 200]);
}

// The same description of a document as those that are shown with coloured words.
function archivedEntry(d) {
  const columns = archive.metadata.map((values) => (values ? values[d] : '–'));
  const words = range(archive.at[d + 1] - archive.at[d]).map((i) => [archive.vocabulary[archive.words[archive.at[d] + i]], archive.counts[archive.at[d] + i]]);
  return {
    row: archive.rows[d], name: archivedName(d), tokens: archive.tokens[d], topics: archivedTopics(d), metadata: columns,
    words: words.sort((a, b) => b[1] - a[1]), plain: archive.texts ? archive.texts[d] : '',
  };
}
