/* SPDX-License-Identifier: MIT */
/*
 * lib/inflate.c - raw deflate [RFC 1951].
 *
 * Input comes through a bit buffer, output goes through the window, a ring of
 * 32 KiB that is handed to the sink whenever it is full.  A Huffman code of up
 * to FAST_BITS bits is found by one table look-up, a longer one by comparing
 * with the limit of each length: codes of one length are consecutive numbers,
 * and they grow with the length.
 *
 * INVARIANTS
 *   I1  Bits above nbits in the buffer are zero.
 *   I2  A distance never exceeds what was put out.
 *
 * Not here: the gzip wrapper (lib/gunzip.c).
 */
#include <lib/inflate.h>

#include <lib/errno.h>
#include <lib/string.h>

#define MAX_BITS   15
#define FAST_BITS  11 /* all but the rarest symbols of usual data */
#define NR_LITLEN  288
#define NR_DIST	   30
#define NR_CODELEN 19

#define END_OF_BLOCK 256
#define MAX_MATCH    258

struct huffman {
	u16 fast[1 << FAST_BITS]; /* symbol << 4 | length; 0: not here */
	u32 limit[MAX_BITS + 1];  /* first code that is longer, as 15 bits */
	s32 offset[MAX_BITS + 1]; /* from a code of this length to symbol[] */
	u16 symbol[NR_LITLEN];	  /* in the order of their codes */
};

struct inflate {
	u8 window[INFLATE_WINDOW];
	struct huffman lit;
	struct huffman dist;
	u8 length[NR_LITLEN + 32];
	const u8 *in;
	const u8 *end;
	u64 bits;
	unsigned int nbits;
	u64 out; /* bytes put out so far */
	inflate_sink_fn *sink;
	void *ctx;
};
STATIC_ASSERT(sizeof(struct inflate) <= INFLATE_WORK_SIZE, "fits in the work");

/* At least 48 bits, which is a length and a distance, while there is input. */
static inline void refill(struct inflate *s)
{
	if (s->nbits >= 48)
		return;
	while (s->nbits <= 56 && s->in < s->end) {
		s->bits |= (u64)*s->in++ << s->nbits;
		s->nbits += 8;
	}
}

static inline void drop_bits(struct inflate *s, unsigned int n)
{
	s->bits >>= n;
	s->nbits -= n;
}

/* @n <= 16 bits as a number, or -EINVAL at the end of the input. */
static int take_bits(struct inflate *s, unsigned int n)
{
	int v;

	refill(s);
	if (s->nbits < n)
		return -EINVAL;
	v = (int)(s->bits & ((1u << n) - 1));
	drop_bits(s, n);
	return v;
}

/* Codes stand in the stream with their highest bit first.  @n <= 16. */
static u32 reverse_bits(u32 v, unsigned int n)
{
	v = (v & 0x5555) << 1 | (v >> 1 & 0x5555);
	v = (v & 0x3333) << 2 | (v >> 2 & 0x3333);
	v = (v & 0x0f0f) << 4 | (v >> 4 & 0x0f0f);
	v = (v & 0x00ff) << 8 | (v >> 8 & 0x00ff);
	return v >> (16 - n);
}

static void fill_fast(struct huffman *h, u32 code, unsigned int len, u16 symbol)
{
	u32 step = 1u << len;

	for (u32 i = reverse_bits(code, len); i < 1u << FAST_BITS; i += step)
		h->fast[i] = (u16)(symbol << 4 | len);
}

/*
 * Count the codes of each length and find the first of each.  The number of
 * codes that are left unused, as 15-bit codes; negative: there are too many.
 */
static s32 assign_codes(struct huffman *h, const u8 *length, unsigned int n,
			u32 next_code[MAX_BITS + 1])
{
	u32 count[MAX_BITS + 1] = { 0 };
	u32 code = 0, idx = 0;

	for (unsigned int i = 0; i < n; i++)
		count[length[i]]++;
	for (unsigned int len = 1; len <= MAX_BITS; len++) {
		code <<= 1;
		next_code[len] = code;
		h->offset[len] = (s32)idx - (s32)code;
		code += count[len];
		idx += count[len];
		if (code > 1u << len)
			return -1;
		h->limit[len] = code << (MAX_BITS - len);
	}
	return (s32)((1u << MAX_BITS) - code);
}

/*
 * An incomplete code is an error, unless it has one symbol or none: a block
 * with a single distance is written so.
 */
static int build(struct huffman *h, const u8 *length, unsigned int n)
{
	u32 next_code[MAX_BITS + 1];
	unsigned int used = 0;
	s32 unused = assign_codes(h, length, n, next_code);

	memset(h->fast, 0, sizeof(h->fast));
	if (unused < 0)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int len = length[i];
		u32 code;

		if (!len)
			continue;
		used++;
		code = next_code[len]++;
		h->symbol[(s32)code + h->offset[len]] = (u16)i;
		if (len <= FAST_BITS)
			fill_fast(h, code, len, (u16)i);
	}
	return unused && used > 1 ? -EINVAL : 0;
}

static int decode_long(struct inflate *s, const struct huffman *h)
{
	u32 code =
		reverse_bits((u32)s->bits & ((1u << MAX_BITS) - 1), MAX_BITS);

	for (unsigned int len = FAST_BITS + 1; len <= MAX_BITS; len++) {
		u32 c = code >> (MAX_BITS - len);

		if (code >= h->limit[len])
			continue;
		if (len > s->nbits)
			break;
		drop_bits(s, len);
		return h->symbol[(s32)c + h->offset[len]];
	}
	return -EINVAL;
}

/* The next symbol; the buffer was refilled. */
static inline int decode(struct inflate *s, const struct huffman *h)
{
	u16 e = h->fast[s->bits & ((1u << FAST_BITS) - 1)];
	unsigned int len = e & 15;

	if (!len)
		return decode_long(s, h);
	if (len > s->nbits)
		return -EINVAL;
	drop_bits(s, len);
	return e >> 4;
}

static inline int put(struct inflate *s, u8 byte)
{
	s->window[s->out++ % INFLATE_WINDOW] = byte;
	if (s->out % INFLATE_WINDOW == 0)
		return s->sink(s->ctx, s->window, INFLATE_WINDOW);
	return 0;
}

/* In runs that neither end of the window breaks.  Byte by byte and upwards:
 * what was copied may be copied again. */
static int copy_match(struct inflate *s, unsigned int len, unsigned int dist)
{
	int r;

	if (dist > s->out)
		return -EINVAL;
	while (len) {
		unsigned int to = s->out % INFLATE_WINDOW;
		unsigned int from = (s->out - dist) % INFLATE_WINDOW;
		unsigned int n = min(len, INFLATE_WINDOW - max(to, from));

		for (unsigned int i = 0; i < n; i++)
			s->window[to + i] = s->window[from + i];
		len -= n;
		s->out += n;
		if (s->out % INFLATE_WINDOW == 0) {
			r = s->sink(s->ctx, s->window, INFLATE_WINDOW);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Lengths and distances [3.2.5]: a base, and bits to add to it. */
static const u16 len_base[] = { 3,  4,	5,  6,	 7,   8,   9,	10,  11, 13,
				15, 17, 19, 23,	 27,  31,  35,	43,  51, 59,
				67, 83, 99, 115, 131, 163, 195, 227, 258 };
static const u8 len_extra[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
				2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const u16 dist_base[] = { 1,    2,    3,	   4,	  5,	 7,
				 9,    13,   17,   25,	  33,	 49,
				 65,   97,   129,  193,	  257,	 385,
				 513,  769,  1025, 1537,  2049,	 3073,
				 4097, 6145, 8193, 12289, 16385, 24577 };
static const u8 dist_extra[] = { 0, 0, 0,  0,  1,  1,  2,  2,  3,  3,
				 4, 4, 5,  5,  6,  6,  7,  7,  8,  8,
				 9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };
STATIC_ASSERT(ARRAY_SIZE(dist_base) == NR_DIST, "as many as symbols");

static int match(struct inflate *s, unsigned int symbol)
{
	unsigned int l = symbol - 257;
	int len, dist, d;

	if (l >= ARRAY_SIZE(len_base))
		return -EINVAL;
	len = take_bits(s, len_extra[l]);
	if (len < 0)
		return len;
	refill(s);
	d = decode(s, &s->dist);
	if (d < 0 || d >= NR_DIST)
		return -EINVAL;
	dist = take_bits(s, dist_extra[d]);
	if (dist < 0)
		return dist;
	return copy_match(s, (unsigned int)len + len_base[l],
			  (unsigned int)dist + dist_base[d]);
}

/* One symbol, wherever in the input and the window it is. */
static int coded_symbol(struct inflate *s)
{
	int symbol, r;

	refill(s);
	symbol = decode(s, &s->lit);
	if (symbol < 0)
		return symbol;
	if (symbol == END_OF_BLOCK)
		return 1;
	if (symbol < END_OF_BLOCK)
		r = put(s, (u8)symbol);
	else
		r = match(s, (unsigned int)symbol);
	return r;
}

/* What coded_run() keeps in registers. */
struct run {
	u64 bits, nbits;
	u64 pos; /* in the window */
};

static inline u64 run_bits(struct run *r, u64 n)
{
	u64 v = r->bits & ((1ull << n) - 1);

	r->bits >>= n;
	r->nbits -= n;
	return v;
}

/*
 * The match of @symbol; its code was taken, 33 bits are there.  False:
 * something is out of the ordinary, and nothing was put out.
 */
static inline bool run_match(struct inflate *s, struct run *r, u64 out,
			     u64 symbol)
{
	u64 l = symbol - 257, d, len, dist, from;
	u8 *to = s->window + r->pos;

	if (l >= ARRAY_SIZE(len_base))
		return false;
	len = len_base[l] + run_bits(r, len_extra[l]);
	d = s->dist.fast[r->bits & ((1u << FAST_BITS) - 1)];
	if (!(d & 15) || d >> 4 >= NR_DIST)
		return false;
	run_bits(r, d & 15);
	d >>= 4;
	dist = dist_base[d] + run_bits(r, dist_extra[d]);
	from = (r->pos - dist) % INFLATE_WINDOW;
	if (dist > out || from + len > INFLATE_WINDOW)
		return false;
	for (const u8 *p = s->window + from; len; len--, r->pos++)
		*to++ = *p++;
	return true;
}

/*
 * Symbols as long as all is ordinary: input for the longest is there, the
 * window has room for the longest match, and the codes are in the fast tables.
 * Leaves the first that is not, or the end of the block, to coded_symbol().
 */
static void coded_run(struct inflate *s)
{
	u64 start = s->out % INFLATE_WINDOW, e;
	struct run r = { s->bits, s->nbits, start }, before = r;
	const u8 *in = s->in, *end = s->end;

	while (end - in >= 8 && r.pos < INFLATE_WINDOW - MAX_MATCH) {
		if (r.nbits < 48)
			for (; r.nbits <= 56; r.nbits += 8)
				r.bits |= (u64)*in++ << r.nbits;
		before = r;
		e = s->lit.fast[r.bits & ((1u << FAST_BITS) - 1)];
		run_bits(&r, e & 15);
		if (e >> 4 < END_OF_BLOCK && (e & 15))
			s->window[r.pos++] = (u8)(e >> 4);
		else if (!(e & 15) || e >> 4 == END_OF_BLOCK ||
			 !run_match(s, &r, s->out + (r.pos - start), e >> 4))
			break;
		before = r;
	}
	s->in = in;
	s->bits = before.bits;
	s->nbits = (unsigned int)before.nbits;
	s->out += before.pos - start;
}

static int coded_block(struct inflate *s)
{
	int r;

	do {
		coded_run(s);
		r = coded_symbol(s);
	} while (!r);
	return r < 0 ? r : 0;
}

/* [3.2.6] */
static int fixed_block(struct inflate *s)
{
	memset(s->length, 8, 144);
	memset(s->length + 144, 9, 112);
	memset(s->length + 256, 7, 24);
	memset(s->length + 280, 8, 8);
	(void)build(&s->lit, s->length, NR_LITLEN);
	memset(s->length, 5, 32);
	(void)build(&s->dist, s->length, 32);
	return coded_block(s);
}

/* What code length symbol @symbol repeats [3.2.7]; how often is in *@times. */
static int repeat(struct inflate *s, int symbol, u8 last, unsigned int *times)
{
	static const u8 bits[] = { 2, 3, 7 };
	static const u8 base[] = { 3, 3, 11 };
	int n;

	if (symbol < 16) {
		*times = 1;
		return symbol;
	}
	n = take_bits(s, bits[symbol - 16]);
	if (n < 0)
		return n;
	*times = base[symbol - 16] + (unsigned int)n;
	return symbol == 16 ? last : 0;
}

/* Read @n code lengths, coded by s->lit, into s->length. */
static int read_lengths(struct inflate *s, unsigned int n)
{
	unsigned int i = 0;

	while (i < n) {
		unsigned int times = 0;
		int symbol, len;

		refill(s);
		symbol = decode(s, &s->lit);
		if (symbol < 0 || (symbol == 16 && i == 0))
			return -EINVAL;
		len = repeat(s, symbol, i ? s->length[i - 1] : 0, &times);
		if (len < 0 || times > n - i)
			return -EINVAL;
		memset(s->length + i, len, times);
		i += times;
	}
	return 0;
}

/* The code of the code lengths [3.2.7]. */
static int read_codelen_code(struct inflate *s, unsigned int n)
{
	static const u8 order[NR_CODELEN] = { 16, 17, 18, 0,  8, 7,  9,
					      6,  10, 5,  11, 4, 12, 3,
					      13, 2,  14, 1,  15 };

	memset(s->length, 0, NR_CODELEN);
	for (unsigned int i = 0; i < n; i++) {
		int len = take_bits(s, 3);

		if (len < 0)
			return len;
		s->length[order[i]] = (u8)len;
	}
	return build(&s->lit, s->length, NR_CODELEN);
}

static int dynamic_block(struct inflate *s)
{
	int counts = take_bits(s, 14);
	unsigned int nr_lit, nr_dist, nr_codelen;

	if (counts < 0)
		return counts;
	nr_lit = 257 + ((unsigned int)counts & 31);
	nr_dist = 1 + ((unsigned int)counts >> 5 & 31);
	nr_codelen = 4 + ((unsigned int)counts >> 10);
	if (nr_lit > 286 || nr_dist > NR_DIST)
		return -EINVAL;
	if (read_codelen_code(s, nr_codelen) < 0 ||
	    read_lengths(s, nr_lit + nr_dist) < 0 || !s->length[END_OF_BLOCK])
		return -EINVAL;
	if (build(&s->dist, s->length + nr_lit, nr_dist) < 0 ||
	    build(&s->lit, s->length, nr_lit) < 0)
		return -EINVAL;
	return coded_block(s);
}

/* [3.2.4] */
static int stored_block(struct inflate *s)
{
	int len, complement;

	drop_bits(s, s->nbits % 8);
	len = take_bits(s, 16);
	complement = take_bits(s, 16);
	if (len < 0 || complement < 0 || (len ^ complement) != 0xffff)
		return -EINVAL;
	while (len--) {
		int byte = take_bits(s, 8);
		int r = byte < 0 ? byte : put(s, (u8)byte);

		if (r < 0)
			return r;
	}
	return 0;
}

static int block(struct inflate *s, int type)
{
	switch (type) {
	case 0:
		return stored_block(s);
	case 1:
		return fixed_block(s);
	case 2:
		return dynamic_block(s);
	default:
		return -EINVAL;
	}
}

int inflate_raw(const void *in, size_t in_len, inflate_sink_fn *sink, void *ctx,
		void *work, size_t *used)
{
	struct inflate *s = work;
	int last, type, r;

	s->in = in;
	s->end = s->in + in_len;
	s->bits = s->nbits = 0;
	s->out = 0;
	s->sink = sink;
	s->ctx = ctx;
	do {
		last = take_bits(s, 1);
		type = take_bits(s, 2);
		if (last < 0 || type < 0)
			return -EINVAL;
		r = block(s, type);
		if (r < 0)
			return r;
	} while (!last);
	if (used) /* whole bytes in the buffer were not needed */
		*used = (size_t)(s->in - (const u8 *)in) - s->nbits / 8;
	if (s->out % INFLATE_WINDOW)
		return sink(ctx, s->window, s->out % INFLATE_WINDOW);
	return 0;
}
