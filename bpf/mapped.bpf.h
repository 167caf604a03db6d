/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a target maps as code, for user space to look at: a TLS library, perhaps. */
#ifndef L7PROF_MAPPED_H
#define L7PROF_MAPPED_H

#include "socket.bpf.h"

static __always_inline void file_mapped(struct task_struct *task, u32 protection, u32 fd)
{
	struct mapped_event record = {};
	struct file *file;
	struct inode *inode;

	if (!config.is_reading_tls || !(protection & PROT_EXEC))
		return;
	file = file_of(task, fd);
	if (!file)
		return;
	inode = FIELD(file, file, f_inode);
	event_init(&record.event, EVENT_MAPPED, 0);
	record.inode = BPF_CORE_READ(inode, i_ino);
	record.device = BPF_CORE_READ(inode, i_sb, s_dev);
	emit(&record, sizeof(record), 0);
}

#endif
