export const common = {
  'span.s': '{n}초', 'span.m': '{n}분', 'span.h': '{n}시간', 'span.d': '{n}일',
  'age.now': '방금', 'age.ago': '{span} 전', 'age.lasting': '{span}째', 'age.since': '{span} 전부터',

  'nav.label': '주 메뉴', 'nav.dashboard': '대시보드', 'nav.pharmacies': '약국', 'nav.hosts': '호스트', 'nav.vms': '통합 VM 관리',
  'nav.consoles': '콘솔', 'nav.jobs': '작업 · 예약', 'nav.events': '이력', 'nav.settings': '설정', 'nav.open_consoles': '열린 콘솔', 'nav.more': '더 보기',
  'nav.skip': '본문으로 건너뛰기',
  'top.search': '약국, VM, IP, 전화 뒤 4자리 검색', 'top.theme_dark': '어두운 화면으로', 'top.theme_light': '밝은 화면으로',
  'top.account': '내 계정', 'top.sign_out': '로그아웃', 'top.language': 'English',
  'link.live': '실시간 연결됨', 'link.connecting': '연결 중', 'link.lost': '실시간 연결 끊김',
  'link.lost_why': '화면의 값은 마지막으로 받은 값이며, 자동으로 다시 연결합니다.',

  'palette.title': '검색과 실행', 'palette.empty': '찾은 것이 없습니다.', 'palette.hint': '이름, 초성(ㄱㄴㅇㄴ), 전화 뒤 4자리, IP, VMID, 코드로 찾습니다. 약국: 상태: 유형: 태그: ip:로 좁힐 수 있습니다.',
  'palette.pharmacies': '약국', 'palette.vms': 'VM', 'palette.hosts': '호스트', 'palette.actions': '이동과 설정', 'palette.results': '검색 결과', 'palette.open_screen': '화면 열기',
  'palette.keys': '↑↓ 이동 · Enter 열기 · Shift+Enter 약국 열기 · Esc 닫기',
  'palette.go': '{page|으로/로} 이동', 'palette.theme': '밝은 화면/어두운 화면 바꾸기', 'palette.language': 'English로 바꾸기', 'palette.add_host': '호스트 추가',

  'vm.status.running': '실행 중', 'vm.status.stopped': '정지', 'vm.status.suspended': '일시 중단', 'vm.status.unknown': '알 수 없음',
  'vm.type.kiosk': '키오스크', 'vm.type.pos': 'POS', 'vm.type.server': '서버', 'vm.type.backup': '백업', 'vm.type.other': '기타',
  'host.status.online': '온라인', 'host.status.offline': '오프라인', 'host.status.maintenance': '점검',
  'pharmacy.state.ok': '정상', 'pharmacy.state.warning': '경고', 'pharmacy.state.offline': '오프라인', 'pharmacy.state.maintenance': '점검', 'pharmacy.state.empty': '호스트 없음',
  'opening.open': '영업 중', 'opening.before': '영업 전', 'opening.after': '영업 마감', 'opening.closed': '휴무', 'opening.unknown': '영업시간 미등록', 'opening.from': '{at}부터',
  'verb.start': '시작', 'verb.shutdown': '종료', 'verb.stop': '강제 정지', 'verb.reboot': '재시작', 'verb.reset': '초기화', 'verb.suspend': '일시 중단', 'verb.resume': '재개',
  'verb.snapshot': '스냅샷 만들기', 'verb.rollback': '스냅샷으로 되돌리기', 'verb.snapshot_delete': '스냅샷 삭제', 'verb.backup': '백업', 'verb.onboot': '부팅 시 자동 시작 설정',

  'reason.unreachable': '연결할 수 없음', 'reason.refused': '연결 거부', 'reason.timeout': '응답 없음', 'reason.tls_failed': '보안 연결 실패',
  'reason.certificate_changed': '인증서 변경됨', 'reason.credential_refused': '로그인 거부', 'reason.need_tfa': '2단계 인증 계정', 'reason.permission_denied': '권한 없음',
  'reason.cluster_down': '클러스터 파일 시스템 멈춤', 'reason.host_fault': '호스트 오류', 'reason.protocol_error': '알 수 없는 응답', 'reason.too_slow': '응답 지연', 'reason.never_checked': '아직 확인 전',

  'act.cancel': '취소', 'act.close': '닫기', 'act.save': '저장', 'act.edit': '편집', 'act.delete': '삭제', 'act.retry': '다시 시도', 'act.back': '이전', 'act.next': '다음', 'act.copy': '복사', 'act.copied': '복사했습니다.',
  'act.open_screen': '화면 열기', 'act.recheck': '다시 확인', 'act.dismiss': '알림 닫기', 'act.more_rows': '더 보기', 'act.show_password': '비밀번호 보기', 'act.confirm': '확인', 'act.sync': '동기화',
  'list.count': '{n}개', 'list.of': '{total}개 중 {n}개', 'list.previous': '이전 쪽', 'list.next': '다음 쪽', 'list.range': '{from}–{to} / {total}',
  'unit.places': '{n}곳', 'unit.machines': '{n}대', 'unit.rows': '{n}건',

  'failure.ui.no_server.title': 'PharmQ 서버에 연결할 수 없습니다.', 'failure.ui.no_server.why': '이 컴퓨터와 PharmQ 서버 사이의 연결이 끊겼거나 서버가 멈췄습니다.', 'failure.ui.no_server.remedy': '네트워크를 확인하고 다시 시도하세요.',
  'failure.ui.timeout.title': '서버가 제시간에 답하지 않았습니다.', 'failure.ui.timeout.why': '서버가 바쁘거나 연결이 느립니다.', 'failure.ui.timeout.remedy': '잠시 뒤 다시 시도하세요.',
  'failure.ui.bad_answer.title': '서버의 답을 읽을 수 없습니다.', 'failure.ui.bad_answer.why': '상태 {status}: PharmQ가 아닌 다른 서버(프록시)가 답한 것 같습니다.', 'failure.ui.bad_answer.remedy': '프록시 설정을 확인하세요.',
  'failure.unknown.title': '요청을 마치지 못했습니다.', 'failure.unknown.why': '코드 {code}', 'failure.unknown.remedy': '다시 시도하고, 계속되면 관리자에게 이 코드를 알려 주세요.',
  'failure.ui.title': '화면에 오류가 생겼습니다.', 'failure.ui.remedy': '화면을 새로 고치세요. 계속되면 관리자에게 알려 주세요.',
  'notfound.title': '없는 화면입니다.', 'notfound.why': '주소가 바뀌었거나 지워진 항목입니다.', 'notfound.remedy': '대시보드에서 다시 시작하세요.',
} as const
