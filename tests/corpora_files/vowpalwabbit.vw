| a:1 after:0 again:0 and:1 beans:0 bread:0 crowd:1 for:0 match:1 more:0 of:0 sang:1 song:1 songs:0 soup:0 team:1 the:3 violin:0 with:0 won:1
| a:1 after:0 again:0 and:1 beans:2 bread:1 crowd:0 for:0 match:0 more:1 of:1 sang:0 song:0 songs:0 soup:2 team:0 the:1 violin:0 with:1 won:0
| a:1 after:0 again:1 and:1 beans:0 bread:0 crowd:1 for:0 match:0 more:0 of:0 sang:1 song:1 songs:1 soup:0 team:0 the:2 violin:1 with:0 won:0
| a:0 after:0 again:0 and:0 beans:0 bread:0 crowd:0 for:0 match:0 more:0 of:0 sang:0 song:0 songs:0 soup:0 team:0 the:0 violin:0 with:0 won:0
| a:0 after:1 again:0 and:0 beans:0 bread:1 crowd:1 for:2 match:1 more:0 of:0 sang:0 song:0 songs:0 soup:1 team:1 the:3 violin:0 with:0 won:0
