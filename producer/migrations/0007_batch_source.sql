-- What a batch was made of: tasks that were made up, or readings of hardware.
alter table batches add column source text not null default 'tasks';
