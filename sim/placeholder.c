/* version.c - keeps the archive non-empty until its first file lands. */
int cs_placeholder_sim(void);
int cs_placeholder_sim(void)
{
    return 0;
}
