/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/image-btf.h"

void image_btf_done(struct image_btf *btf)
{
	abi_layouts_done(&btf->layouts);
	free(btf->data);
	*btf = (struct image_btf){};
}

/* What a header promises is not believed: memory is taken as the bytes come. */
static int keep(struct image_btf *btf, const uint8_t *begin, size_t n)
{
	if (btf->size + n > btf->room) {
		size_t room = 2 * (btf->size + n);
		uint8_t *grown = realloc(btf->data, room);

		if (!grown)
			return -ENOMEM;
		btf->data = grown;
		btf->room = room;
	}
	memcpy(btf->data + btf->size, begin, n);
	btf->size += n;
	return 0;
}

/* Another may come: programs of BPF that the kernel has built in have some of their own. */
static int finish(struct image_btf *btf)
{
	int r = abi_layouts_add(&btf->layouts, btf->data, btf->size);

	btf->size = btf->whole = 0;
	return r;
}

static const uint8_t *find_header(const uint8_t *begin, const uint8_t *end)
{
	while (begin < end) {
		const uint8_t *hit = memmem(begin, (size_t)(end - begin) + BTF_MARK_SIZE - 1,
					    BTF_MARK, BTF_MARK_SIZE);

		if (!hit)
			break;
		if (btf_size(hit) > 0)
			return hit;
		begin = hit + 1;
	}
	return end;
}

int image_btf_add(struct image_btf *btf, const uint8_t *begin, const uint8_t *end)
{
	int r = 0;

	while (r == 0 && begin < end) {
		size_t n;

		if (btf->whole == 0) {
			begin = find_header(begin, end);
			if (begin == end)
				break;
			btf->whole = btf_size(begin);
		}
		n = btf->whole - btf->size;
		if (n > (size_t)(end - begin))
			n = (size_t)(end - begin);
		r = keep(btf, begin, n);
		begin += n;
		if (r == 0 && btf->size == btf->whole)
			r = finish(btf);
	}
	return r;
}
